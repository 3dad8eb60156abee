# METADATA
# title: An account became privileged
# description: >
#   A change of the accounts gave somebody user id 0, or made somebody a member of a group that can make itself root.
#   The agent reads that off the change's diff; where it keeps none of the file, accounts_changed can say that it
#   changed.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   controls: [NIST AC-2, NIST AC-6, PCI 7.2, PCI 10.2, CIS 5.4, SOC2 CC6.2, SOC2 CC6.3]
#   flags: never
package hostseal.rules.privileged_account

import data.hostseal.drift
import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	count(granted) > 0
	first := array.slice(granted, 0, 3)
	shown := concat(", ", [sprintf("%s (%s)", [wording.name(one.account), wording.sentence(one.by)]) | some one in first])
	more := wording.rest(count(granted) - count(first))
	message := sprintf("%s made accounts privileged: %s%s.", [drift.actor, shown, more])
}

granted := [one | some path in drift.paths; some one in path.grants]
