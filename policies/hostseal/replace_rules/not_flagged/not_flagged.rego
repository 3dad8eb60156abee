# METADATA
# title: The host is not flagged
# description: Only a flag with its incident is a reason to replace a host.
# schemas:
#   - input: schema.replace.decision
# custom:
#   severity: medium
#   controls: [NIST CM-3, NIST CP-10, PCI 6.5, CIS 4.1, SOC2 CC7.5]
package hostseal.replace_rules.not_flagged

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	not flagged
	message := sprintf("%s is not flagged: its standing is %s. Only a flagged host is replaced.", [
		wording.name(input.replace.host.name),
		without_incident,
	])
}

flagged if {
	input.replace.standing == "flagged"
	input.replace.incident.id
}

without_incident := "flagged without an incident" if input.replace.standing == "flagged"

without_incident := wording.name(input.replace.standing) if input.replace.standing != "flagged"
