# METADATA
# title: The host is only observed
# description: In mode observe nothing is done to a host.
# schemas:
#   - input: schema.replace.decision
# custom:
#   severity: low
#   controls: [NIST CM-3, NIST CP-10, PCI 6.5, CIS 4.1, SOC2 CC7.5]
package hostseal.replace_rules.only_observed

import data.hostseal.finding
import data.hostseal.host
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	host.of(input.replace.host.name).mode == "observe"
	message := sprintf("%s is in mode observe: it would be replaced in mode flag.", [
		wording.name(input.replace.host.name),
	])
}
