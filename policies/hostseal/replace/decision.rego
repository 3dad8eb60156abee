# METADATA
# title: Whether a host may be replaced now
# description: >
#   Composes the findings of every package under hostseal.replace_rules. `allowed` says that the host may be replaced
#   now, `due` that a timer should: its deadline has passed, or it has none. There is no clock here; `now` is in the
#   input. An input that cannot be judged is refused: unknown means no destructive step.
# schemas:
#   - input: schema.replace.decision
package hostseal.replace

import data.hostseal.host
import data.hostseal.malformed
import data.hostseal.replace.shape

# METADATA
# description: The decision about the replacement in the input.
# entrypoint: true
decision := {
	"allowed": count(violations) == 0,
	"violations": violations,
	"findings": [finding | some finding in findings],
	"actions": ["replace" | count(violations) == 0],
	"would": ["replace" | only_observed],
	"deadline_seconds": remaining,
	"due": due,
	"host": host.of(input.replace.host.name),
} if {
	judgeable
}

decision := object.union(malformed.answer("The replacement", problems, [], []), {"due": false}) if not judgeable

judgeable if {
	shape.well_formed
	host.of(input.replace.host.name).mode in {"observe", "flag", "enforce"}
}

problems := shape.problems if not shape.well_formed

problems := {malformed.unknown_mode(input.replace.host.name)} if shape.well_formed

findings contains finding if {
	some rule
	found := data.hostseal.replace_rules[rule].findings
	some finding in found
}

violations := [finding.message | some finding in findings]

only_observed if {
	{finding.rule | some finding in findings} == {"only_observed"}
}

# Whole seconds until the deadline, 0 once it has passed, null without one.
default remaining := null

remaining := max([0, ceil(nanoseconds_left / 1000000000)])

default due := false

due if input.replace.incident.deadline == null

due if nanoseconds_left <= 0

nanoseconds_left := time.parse_rfc3339_ns(input.replace.incident.deadline) - time.parse_rfc3339_ns(input.replace.now)
