# METADATA
# title: A grant has no ticket of the site's
# description: Each certificate is owed to a ticket written as the site's data has it, so that the record says why.
# schemas:
#   - input: schema.break_glass.decision
# custom:
#   severity: medium
#   controls: [NIST CM-3, PCI 6.5, CIS 6.1, SOC2 CC6.2]
package hostseal.grant_rules.no_ticket

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	is_string(input.break_glass.grant.ticket)
	not regex.match(data.hostseal.site.break_glass.ticket_pattern, input.break_glass.grant.ticket)
	message := sprintf("%s is not a ticket of this site.", [wording.name(input.break_glass.grant.ticket)])
}
