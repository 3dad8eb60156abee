# METADATA
# title: A person connected to a sealed host
# description: >
#   Whether a connection is interactive is known only with its first channel; until then the host is suspect.
# schemas:
#   - input: schema.input
# custom:
#   severity: low
#   controls: [NIST AC-17, PCI 10.2, CIS 8.5, SOC2 CC6.1]
#   flags: never; it makes the host suspect
#   tuning: [automation]
package hostseal.rules.person_connected

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	connected
	message := sprintf("%s opened an SSH connection.", [wording.login(identity.subject)])
}

asks contains "suspect" if {
	connected
	input.standing.state in {"sealed", "suspect"}
}

connected if {
	input.event.type == "session.opened"
	identity.person
}
