# METADATA
# title: A play does not say which host it changes
# description: >
#   A task delegated to a template, or a play that sets its hosts' addresses itself, may reach any host; so
#   the strictest mode of the whole site counts.
# schemas:
#   - input: schema.play.decision
# custom:
#   severity: medium
#   controls: [NIST CM-3, NIST CM-5, PCI 6.5, CIS 4.1, SOC2 CC8.1]
package hostseal.play_rules.unknown_target

import data.hostseal.finding
import data.hostseal.gate
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if some message in sentences

# METADATA
# description: One sentence, under what becomes of it.
sentences[gate.anywhere] := message if {
	count(astray) > 0
	message := sprintf("Which host the play %s changes is known only while it runs: %s%s. %s", [
		wording.name(input.play.name),
		wording.tasks(astray),
		cause,
		"Name the host outright, and its address in the inventory.",
	])
}

astray := gate.changing if count(rerouting) > 0

astray := [task | some task in gate.changing; task.target.kind == "unknown"] if count(rerouting) == 0

default cause := ""

cause := sprintf(", and the play sets %s", [concat(", ", rerouting)]) if count(rerouting) > 0

rerouting contains name if {
	some name in input.play.sets
	name in data.hostseal.site.gate.rerouting_variables
}
