# METADATA
# title: A break-glass certificate that does not hold
# description: sshd takes the certificate, the policy does not - another user's or host's, used before, out of its time.
# schemas:
#   - input: schema.input
#   - input.login: schema.login.gate
# custom:
#   severity: high
#   controls: [NIST AC-2, NIST IA-5, PCI 8.3, CIS 6.2, SOC2 CC6.1]
package hostseal.login_rules.bad_break_glass

import data.hostseal.break_glass
import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	some message in refusals
}

refusals contains sprintf("%s shows a break-glass certificate that does not hold. %s", [
	wording.name(input.event.data.user),
	problem,
]) if {
	break_glass.presented
	not identity.perhaps_automation
	some problem in break_glass.problems
}
