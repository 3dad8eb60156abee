# METADATA
# title: A certificate was refused
# description: >
#   It has expired, is not valid yet, is by an authority nobody here knows, or asks for what sshd does not know.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AC-7, NIST IA-5, PCI 10.2, CIS 8.5, SOC2 CC6.1]
#   flags: where `break_glass.flag_on_refused` lists the cause
#   tuning: [break_glass]
package hostseal.rules.certificate_refused

import data.hostseal.finding
import data.hostseal.refusal

findings contains finding.from_rule(rego.metadata.chain(), refusal.sentence) if {
	input.event.type == "certificate.refused"
	not refusal.misuse
}

asks contains "flag" if {
	not refusal.misuse
	refusal.breaks_seal
}
