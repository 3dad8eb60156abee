# METADATA
# title: An authority that hosts do not trust would sign
# description: A certificate is signed by an authority of the site's data, or no host would take it.
# schemas:
#   - input: schema.break_glass.decision
# custom:
#   severity: high
#   controls: [NIST IA-5, NIST AC-17, PCI 8.3, CIS 6.7, SOC2 CC6.1]
package hostseal.grant_rules.unknown_authority

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	is_string(input.break_glass.authority)
	not input.break_glass.authority in data.hostseal.site.break_glass.authorities
	message := sprintf("%s is not one of the break-glass authorities of this site.", [
		wording.name(input.break_glass.authority),
	])
}
