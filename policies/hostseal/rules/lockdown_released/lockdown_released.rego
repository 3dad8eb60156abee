# METADATA
# title: SSH was released from lockdown
# description: By a release that was signed off the host, or because root purges the agent from a host locked down.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST IR-4, NIST AC-17, PCI 12.10, CIS 17.4, SOC2 CC7.4]
#   flags: never
package hostseal.rules.lockdown_released

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "lockdown.released"
	message := sprintf("%s %s the lockdown %s of incident %s: %s.", [
		wording.name(input.event.data.person),
		verb[input.event.data.how],
		wording.name(input.event.data.level),
		wording.name(input.event.data.incident),
		wording.name(input.event.data.reason),
	])
}

verb := {"signed": "released", "purge": "purged the agent, and with it"}
