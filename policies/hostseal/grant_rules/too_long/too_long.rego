# METADATA
# title: A certificate would hold too long
# description: One certificate holds no longer than the site's data allows.
# schemas:
#   - input: schema.break_glass.decision
# custom:
#   severity: high
#   controls: [NIST AC-2, NIST AC-17, PCI 7.2, CIS 6.2, SOC2 CC6.3]
package hostseal.grant_rules.too_long

import data.hostseal.finding

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	allowed := data.hostseal.site.break_glass.max_seconds
	input.break_glass.seconds > allowed
	message := sprintf("A certificate holds %d seconds at most, not %d.", [allowed, input.break_glass.seconds])
}
