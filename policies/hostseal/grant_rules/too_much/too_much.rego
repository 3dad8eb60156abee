# METADATA
# title: A certificate would allow more than a login
# description: A certificate carries no more of OpenSSH's extensions than the site's data lists.
# schemas:
#   - input: schema.break_glass.decision
# custom:
#   severity: high
#   controls: [NIST AC-6, NIST AC-17, PCI 7.2, CIS 6.8, SOC2 CC6.3]
package hostseal.grant_rules.too_much

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	some extension in input.break_glass.extensions
	not extension in data.hostseal.site.break_glass.extensions
	message := sprintf("A break-glass login may not have %s.", [wording.name(extension)])
}
