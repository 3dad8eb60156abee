# METADATA
# title: Responses on SSH
# description: >
#   What the site's data answers a finding with, beyond the flag: by the finding's rule and by its severity. A
#   session is ended only where it is known for certain which one it is. A lockdown reaches the hosts of a stage: a
#   fixed part of all hosts by a hash of their machine ids, so that the same log replays to the same decisions.
# schemas:
#   - input: schema.input
package hostseal.response

lockdowns := {"lockdown_automation_only", "lockdown_closed"}

# METADATA
# description: The actions that only mode enforce takes.
kinds := {"terminate_session"} | lockdowns

# METADATA
# description: What the site's data answers these findings with.
asked(findings) := {action |
	some finding in findings
	some action in named(finding)
	possible(action)
}

named(finding) := array.concat(
	object.get(data.hostseal.site.responses.rules, finding.rule, []),
	object.get(data.hostseal.site.responses.severities, finding.severity, []),
)

possible(action) if action in lockdowns

possible("terminate_session") if is_number(session.audit_session)

session := input.event.data if input.event.type == "session.opened"

session := input.event.data.writer.session if {
	input.event.type == "files.changed"
	input.event.data.confidence == "exact"
}

session := input.event.data.session if {
	not input.event.type in {"session.opened", "session.closed", "files.changed"}
	is_object(input.event.data.session)
}

# METADATA
# description: The host is in the part of all hosts that may be locked down.
staged if bucket(input.event.host.machine_id) < data.hostseal.site.lockdown.stage_percent

# METADATA
# description: A host's place among a hundred, from 0 to 99, by its machine id alone.
bucket(machine_id) := (high + low) % 100 if {
	[a, b, c, d] := split(substring(crypto.sha256(machine_id), 0, 4), "")
	high := (hexadecimal[a] * 4096) + (hexadecimal[b] * 256)
	low := (hexadecimal[c] * 16) + hexadecimal[d]
}

hexadecimal := {
	"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7,
	"8": 8, "9": 9, "a": 10, "b": 11, "c": 12, "d": 13, "e": 14, "f": 15,
}

# METADATA
# description: Whom a lockdown leaves alone, and how it is done.
terms := {
	"accounts": data.hostseal.site.automation.accounts,
	"key_fingerprints": data.hostseal.site.automation.key_fingerprints,
	"authorities": data.hostseal.site.break_glass.authorities,
	"existing_sessions": data.hostseal.site.lockdown.existing_sessions,
	"without_break_glass": data.hostseal.site.lockdown.without_break_glass,
}
