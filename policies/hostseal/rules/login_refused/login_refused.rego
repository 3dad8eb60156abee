# METADATA
# title: A login was refused
# description: >
#   The gate refused somebody before any shell. Whatever suspicion the connection had raised is lifted with it.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AC-7, NIST AC-17, PCI 10.2, CIS 8.5, SOC2 CC6.1]
#   flags: never
package hostseal.rules.login_refused

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "login.refused"
	message := sprintf("%s was refused in the %s phase by %s.", [
		wording.login(identity.subject),
		wording.name(input.event.data.phase),
		by[input.event.data.by],
	])
}

asks contains "lift" if {
	input.event.type == "login.refused"
	input.event.data.phase == "session"
	input.standing.state in {"sealed", "suspect"}
}

by := {"policy": "the policy", "on_failure": "the host's own settings, for the policy could not be asked"}
