# METADATA
# title: A controller's job runs on sealed hosts
# description: >
#   A controller says which playbook it runs on which inventory, not what the tasks do. So a job on an inventory that
#   holds sealed hosts is let through in check mode, or when the site allows just this template, playbook and source.
# schemas:
#   - input: schema.controller.job
# custom:
#   severity: high
#   controls: [NIST CM-3, NIST CM-5, PCI 6.5, CIS 4.1, SOC2 CC8.1]
package hostseal.play_rules.job_on_sealed_hosts

import data.hostseal.controller
import data.hostseal.controller.shape
import data.hostseal.finding
import data.hostseal.wording

findings contains finding.from_rule(rego.metadata.chain(), message) if some message in sentences

# METADATA
# description: One sentence, under what becomes of the job.
sentences[controller.force] := message if {
	shape.posted
	input.job_type != "check"
	not controller.allowed
	message := sprintf("The job %s runs %s on %s. %s", [
		wording.name(input.name),
		wording.name(input.playbook),
		inventory,
		"Run it in check mode, build a new image with the change and replace the hosts, or have the site allow this job.",
	])
}

inventory := "no inventory, so it may reach any host" if not input.inventory.name

inventory := sprintf("the inventory %s, which holds immutable hosts", [wording.name(input.inventory.name)]) if {
	controller.listed
}

inventory := sprintf("the inventory %s, which the site does not list: it may hold any host", [
	wording.name(input.inventory.name),
]) if {
	is_string(input.inventory.name)
	not controller.listed
}
