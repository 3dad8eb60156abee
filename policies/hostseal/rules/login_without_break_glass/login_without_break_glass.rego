# METADATA
# title: A person got in without break-glass
# description: >
#   On a host that is meant to be immutable a person logged in by another way than a break-glass certificate. The
#   login gate refuses that only in mode enforce and once it is armed; this rule says it in every mode.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AC-2, NIST AC-17, PCI 7.2, CIS 6.8, SOC2 CC6.3]
#   flags: never
#   tuning: [break_glass]
package hostseal.rules.login_without_break_glass

import data.hostseal.finding
import data.hostseal.host
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "session.opened"
	host.of(input.event.host.name).class == "immutable"
	identity.person
	not by_break_glass
	message := sprintf("%s logged in without break-glass, and %s is immutable.", [
		wording.login(identity.subject),
		wording.name(input.event.host.name),
	])
}

by_break_glass if identity.subject.key.certificate.ca_fingerprint in data.hostseal.site.break_glass.authorities
