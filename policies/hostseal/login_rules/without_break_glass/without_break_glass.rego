# METADATA
# title: A person logs in to an immutable host without break-glass
# description: >
#   People have no business on an immutable host; who must get in nevertheless brings a break-glass certificate.
#   Automation is admitted by its account before its key is known, and by account and key afterwards.
# schemas:
#   - input: schema.input
#   - input.login: schema.login.gate
# custom:
#   severity: medium
#   controls: [NIST AC-17, NIST AC-3, PCI 7.2, CIS 5.4, SOC2 CC6.1]
package hostseal.login_rules.without_break_glass

import data.hostseal.break_glass
import data.hostseal.finding
import data.hostseal.host
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if uninvited

refusals contains sprintf("%s %s", [message, data.hostseal.site.login.how_to_ask]) if uninvited

message := sprintf("%s logs in without break-glass, and %s is immutable.", [
	wording.name(input.event.data.user),
	wording.name(input.event.host.name),
])

uninvited if {
	host.of(input.event.host.name).class != "mutable"
	identity.person
	not break_glass.presented
	not identity.perhaps_automation
}
