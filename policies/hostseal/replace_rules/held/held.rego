# METADATA
# title: The host is held
# description: Somebody asked that this host stay as it is for now, to look at it for instance.
# schemas:
#   - input: schema.replace.decision
# custom:
#   severity: medium
#   controls: [NIST CM-3, NIST CP-10, PCI 6.5, CIS 4.1, SOC2 CC7.5]
package hostseal.replace_rules.held

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.replace.held == true
	message := sprintf("%s is held. Take the hold back first.", [wording.name(input.replace.host.name)])
}
