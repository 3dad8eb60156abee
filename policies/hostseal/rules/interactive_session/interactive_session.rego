# METADATA
# title: Interactive SSH session on an immutable host
# description: A person opened a kind of channel that the site's data says breaks the seal.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST CM-5, NIST AC-17, PCI 10.2, CIS 4.6, CIS 5.4, SOC2 CC6.1]
#   flags: always
#   tuning: [channel]
package hostseal.rules.interactive_session

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	broke_in
	message := sprintf("%s %s.", [wording.login(identity.subject), wording.channel(input.event.data)])
}

asks contains "flag" if broke_in

broke_in if {
	input.event.type == "session.channel"
	data.hostseal.site.channel[input.event.data.kind] == "flag"
	identity.person
}
