# METADATA
# title: The seal cannot be believed
# description: >
#   The image's manifest is missing, damaged, of another image, or not signed by the key this host trusts. That is never
#   taken for "nothing differs": nothing is known of the files any more.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST CM-14, NIST SI-7, PCI 11.5, CIS 13.2, SOC2 CC7.1]
#   flags: always
package hostseal.rules.seal_untrusted

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "seal.untrusted"
	message := sprintf("The seal %s cannot be believed (%s): %s.", [
		wording.name(input.event.data.manifest),
		wording.name(input.event.data.cause),
		wording.sentence(input.event.data.detail),
	])
}

asks contains "flag" if input.event.type == "seal.untrusted"
