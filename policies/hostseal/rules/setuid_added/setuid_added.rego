# METADATA
# title: A file gives privileges that it did not give
# description: >
#   A file has a set-user-id or set-group-id bit, or a file capability, that the image's file has not; whoever
#   executes it becomes another. Seen as it happens, or found by a scan.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   controls: [NIST AC-6, NIST CM-5, NIST SI-7, PCI 11.5, CIS 5.4, CIS 13.2, SOC2 CC6.8]
#   flags: always
package hostseal.rules.setuid_added

import data.hostseal.drift
import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	count(gaining) > 0
	first := array.slice(gaining, 0, 3)
	shown := concat(", ", [sprintf("%s (%s)", [wording.name(one.path), gains(one)]) | some one in first])
	more := wording.rest(count(gaining) - count(first))
	message := sprintf("%s made files give privileges that they did not give: %s%s.", [drift.actor, shown, more])
}

asks contains "flag" if {
	count(gaining) > 0
	not drift.only_debt
}

gaining := [one | some one in drift.paths; count(one.gains) > 0]

gains(one) := concat(", ", [wording.name(gain) | some gain in one.gains])
