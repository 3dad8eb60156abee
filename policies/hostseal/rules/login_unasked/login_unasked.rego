# METADATA
# title: A login was admitted without the policy's word
# description: The policy could not be asked, and the host's settings for that case admitted the login.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AU-5, NIST AC-17, PCI 10.7, CIS 6.7, SOC2 CC6.1]
#   flags: where the host's settings say so
package hostseal.rules.login_unasked

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "login.unasked"
	message := sprintf("%s was admitted in the %s phase without the policy's word: %s.", [
		wording.login(identity.subject),
		wording.name(input.event.data.phase),
		wording.name(input.event.data.cause),
	])
}

asks contains "flag" if {
	input.event.type == "login.unasked"
	input.event.data.flag == true
}
