# METADATA
# title: A play runs tasks that nobody knows beforehand
# description: A file, role or module named by a template is known only while the play runs, so it may do anything.
# schemas:
#   - input: schema.play.decision
# custom:
#   severity: medium
#   controls: [NIST CM-3, NIST CM-5, PCI 6.5, CIS 4.1, SOC2 CC8.1]
package hostseal.play_rules.unknown_tasks

import data.hostseal.finding
import data.hostseal.gate
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if some message in sentences

# METADATA
# description: One sentence about the hosts where it is refused, one about those where that is only observed.
sentences[force] := message if {
	some force, hosts in gate.sealed(unknown)
	count(hosts) > 0
	message := sprintf("What the play %s does to %s is known only while it runs: %s. %s", [
		wording.name(input.play.name),
		wording.hosts(hosts),
		wording.tasks(gate.reaching(unknown, hosts)),
		"Name the file, role or module outright, so that it can be judged beforehand.",
	])
}

unknown := [task | some task in gate.changing; task.dynamic]
