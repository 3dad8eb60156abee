# METADATA
# title: The login gate was armed or switched off
# description: Who may get in has changed; a gate that a person switched off stands open until break-glass arms it anew.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   controls: [NIST AC-3, NIST CM-6, PCI 7.3, PCI 10.7, CIS 6.7, SOC2 CC6.1]
#   flags: never
package hostseal.rules.gate_changed

import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if {
	input.event.type == "gate.changed"
	message := sprintf("The login gate is %s, it was %s: %s%s.", [
		wording.name(input.event.data.state),
		wording.name(input.event.data.before),
		wording.name(input.event.data.cause),
		by,
	])
}

asks := set()

default by := ""

by := sprintf(", by %s: %s", [wording.name(input.event.data.person), wording.name(input.event.data.reason)]) if {
	is_string(input.event.data.person)
}
