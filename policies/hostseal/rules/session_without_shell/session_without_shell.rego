# METADATA
# title: A person's session that is not interactive
# description: >
#   A person used a kind of channel that the site's data lets pass. It is on record, and the suspicion that the
#   connection raised is lifted. A flag stays.
# schemas:
#   - input: schema.input
# custom:
#   severity: low
#   controls: [NIST AC-17, PCI 10.2, CIS 8.5, SOC2 CC6.1]
#   flags: never
#   tuning: [channel]
package hostseal.rules.session_without_shell

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	let_pass
	message := sprintf("%s %s.", [wording.login(identity.subject), wording.channel(input.event.data)])
}

asks contains "lift" if {
	let_pass
	input.standing.state in {"sealed", "suspect"}
}

let_pass if {
	input.event.type == "session.channel"
	data.hostseal.site.channel[input.event.data.kind] == "lift"
	identity.person
}
