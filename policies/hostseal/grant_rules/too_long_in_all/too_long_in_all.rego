# METADATA
# title: A grant would hold too long with its extensions
# description: A grant that is extended holds no longer in all than the site's data allows.
# schemas:
#   - input: schema.break_glass.decision
# custom:
#   severity: high
#   controls: [NIST AC-2, NIST AC-17, PCI 7.2, CIS 6.2, SOC2 CC6.3]
package hostseal.grant_rules.too_long_in_all

import data.hostseal.finding

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	allowed := data.hostseal.site.break_glass.max_total_seconds
	input.break_glass.total_seconds > allowed
	message := sprintf("A grant holds %d seconds at most with its extensions, not %d.", [
		allowed,
		input.break_glass.total_seconds,
	])
}
