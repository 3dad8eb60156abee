# METADATA
# title: A login by break-glass
# description: It is admitted, and it has a price - the host is replaced, unless the certificate is only a drill's.
# schemas:
#   - input: schema.input
#   - input.login: schema.login.gate
# custom:
#   severity: high
#   controls: [NIST AC-2, NIST IR-4, PCI 10.2, CIS 8.5, SOC2 CC7.2]
package hostseal.login_rules.break_glass_login

import data.hostseal.break_glass
import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	holds
	message := sprintf("%s logs in by break-glass, %s.", [
		wording.name(identity.subject.user),
		wording.name(input.login.certificate.key_id),
	])
}

refusals := set()

# METADATA
# description: Seconds after which the host is replaced. Undefined where there is no price.
price := data.hostseal.site.login.deadline_seconds if {
	holds
	not break_glass.drill
}

holds if {
	break_glass.presented
	count(break_glass.problems) == 0
}
