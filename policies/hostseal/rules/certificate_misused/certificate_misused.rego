# METADATA
# title: A certificate was used by somebody or somewhere it was not made for
# description: >
#   It was taken back, is another host's, was used before, or came without its private key or from another place.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AC-7, NIST IA-5, PCI 10.2]
package hostseal.rules.certificate_misused

import data.hostseal.finding
import data.hostseal.refusal

findings contains finding.from_rule(rego.metadata.chain(), refusal.sentence) if refusal.misuse

asks contains "flag" if {
	refusal.misuse
	refusal.breaks_seal
}
