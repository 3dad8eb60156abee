# METADATA
# title: An operator flagged the host
# description: Somebody with root on the host asked, through the agent, that it be replaced, and said why.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST IR-4, NIST CM-3, PCI 12.10, CIS 17.3, SOC2 CC7.3]
#   flags: always
package hostseal.rules.operator_flagged

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "operator.flagged"
	message := sprintf("%s flagged the host: %s.", [
		wording.name(input.event.data.person),
		wording.name(input.event.data.reason),
	])
}

asks contains "flag" if input.event.type == "operator.flagged"
