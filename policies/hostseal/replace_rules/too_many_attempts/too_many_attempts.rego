# METADATA
# title: The replacement has failed too often
# description: After some failures a person should look before the next successor is made.
# schemas:
#   - input: schema.replace.decision
# custom:
#   severity: high
#   controls: [NIST CM-3, NIST CP-10, PCI 6.5, CIS 4.1, SOC2 CC7.5]
package hostseal.replace_rules.too_many_attempts

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.replace.attempts >= data.hostseal.site.replace.attempts
	message := sprintf("The replacement of %s has failed %d times; the limit is %d. Find out why first.", [
		wording.name(input.replace.host.name),
		input.replace.attempts,
		data.hostseal.site.replace.attempts,
	])
}
