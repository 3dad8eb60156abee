# METADATA
# title: A login by a key that nobody lists
# description: >
#   Where the site's data lists keys by fingerprint, a key is expected to be one of them, automation's, or certified
#   by an authority of break-glass. Without a list this rule says nothing.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AC-2, NIST IA-5, PCI 8.2, CIS 5.1, SOC2 CC6.2]
#   flags: never
#   tuning: [unknown_key]
package hostseal.rules.unknown_key

import data.hostseal.finding
import data.hostseal.identity
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "session.opened"
	count(data.hostseal.site.unknown_key.known) > 0
	key.method == "publickey"
	not known
	message := sprintf("%s used a key that the site does not list.", [wording.login(identity.subject)])
}

key := input.event.data.key

known if data.hostseal.site.unknown_key.known[key.fingerprint]

known if key.fingerprint in data.hostseal.site.automation.key_fingerprints

known if key.certificate.ca_fingerprint in data.hostseal.site.break_glass.authorities
