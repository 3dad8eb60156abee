# METADATA
# title: A certificate was used by somebody or somewhere it was not made for
# description: >
#   It was taken back, is another host's, was used before, or came without its private key or from another place.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   controls: [NIST AC-7, NIST IA-5, PCI 10.2, CIS 8.5, CIS 6.2, SOC2 CC6.1]
#   flags: where `break_glass.flag_on_refused` lists the cause
#   tuning: [break_glass]
package hostseal.rules.certificate_misused

import data.hostseal.finding
import data.hostseal.refusal

findings contains finding.from_rule(rego.metadata.chain(), refusal.sentence) if refusal.misuse

asks contains "flag" if {
	refusal.misuse
	refusal.breaks_seal
}
