# METADATA
# title: A person's session laid something that outlives it
# description: >
#   A cron job, at job, unit, timer, authorized key, shell profile or sudoers rule by which a session's work goes on, or
#   its user comes back, after it has ended; laid by the session, or by what it had laid before.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   controls: [NIST CM-5, NIST AC-6, NIST SI-7, PCI 11.5, CIS 13.2, SOC2 CC6.8]
#   flags: always
package hostseal.rules.persistence_laid

import data.hostseal.changes
import data.hostseal.finding
import data.hostseal.wording
import data.hostseal.writer

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	laid
	first := array.slice(changes.laid, 0, 3)
	shown := concat(", ", [sprintf("%s (%s)", [wording.name(one.path), kind(one.lays)]) | some one in first])
	more := wording.rest(count(changes.laid) - count(first))
	message := sprintf("%s laid what outlives the session: %s%s.", [writer.described, shown, more])
}

asks contains "flag" if laid

laid if {
	count(changes.laid) > 0
	writer.person
	input.event.data.confidence in {"exact", "inferred"}
}

default kind(_) := "something that starts again"

kind(lays) := kinds[lays]

kinds := {
	"cron": "a cron job",
	"at_job": "an at job",
	"unit": "a systemd unit",
	"timer": "a systemd timer",
	"authorized_keys": "authorized keys",
	"shell_profile": "a shell's profile",
	"sudoers": "a sudo rule",
}
