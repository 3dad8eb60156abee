# METADATA
# title: A break-glass login has worked
# description: The way in for emergencies is proven on this host, so the login gate may close the other ways.
# schemas:
#   - input: schema.input
# custom:
#   severity: low
#   controls: [NIST AC-2, NIST CP-4]
package hostseal.rules.break_glass_worked

import data.hostseal.finding
import data.hostseal.host
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	worked
	message := sprintf("%s got in by break-glass.", [wording.name(input.event.data.user)])
}

asks contains "arm" if {
	worked
	host.of(input.event.host.name).mode == "enforce"
}

worked if {
	input.event.type == "session.channel"
	input.event.data.session.user == input.event.data.user
	authority := input.event.data.session.key.certificate.ca_fingerprint
	authority in data.hostseal.site.break_glass.authorities
}
