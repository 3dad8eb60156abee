# METADATA
# title: The host is mutable
# description: A host that holds what no image holds is never replaced; its drift is debt.
# schemas:
#   - input: schema.replace.decision
# custom:
#   severity: high
#   controls: [NIST CM-3, NIST CP-10, PCI 6.5, CIS 4.1, SOC2 CC7.5]
package hostseal.replace_rules.mutable_host

import data.hostseal.finding
import data.hostseal.host
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	host.of(input.replace.host.name).class != "immutable"
	message := sprintf("%s is of class mutable: it is never replaced. Repair it, and pardon the flag.", [
		wording.name(input.replace.host.name),
	])
}
