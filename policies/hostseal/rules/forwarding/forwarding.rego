# METADATA
# title: A person forwards through the host
# description: >
#   A person holds an SSH connection without any channel, as for forwarding: the host may be a way around the
#   network's own borders.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AC-17, NIST SC-7, PCI 1.4, CIS 13.4, SOC2 CC6.6]
#   flags: never
#   tuning: [channel]
package hostseal.rules.forwarding

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "session.channel"
	input.event.data.kind == "forward"
	identity.person
	message := sprintf("%s %s.", [wording.login(identity.subject), wording.channel(input.event.data)])
}
