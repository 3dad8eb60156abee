# METADATA
# title: What a controller's job would reach
# description: >
#   A controller posts a job's inventory, never its hosts or tasks. So the site says which of its groups an inventory
#   holds, and the strictest mode of them counts; of an inventory that the site does not list, that of the whole site. A
#   limit is not believed: what it leaves out is not known here.
# schemas:
#   - input: schema.controller.job
package hostseal.controller

import data.hostseal.gate
import data.hostseal.host

# METADATA
# scope: document
# description: Whether the site lists the job's inventory.
default listed := false

listed if inventory

# Names are an organization's own, ids are not: where the site says an id, no other inventory of the name is meant.
inventory := found if {
	found := data.hostseal.site.controller.inventories[input.inventory.name]
	found.id == input.inventory.id
}

inventory := found if {
	found := data.hostseal.site.controller.inventories[input.inventory.name]
	not found.id
}

# METADATA
# scope: document
# description: The modes of the sealed hosts that the job may reach.
modes := gate.modes if not listed

modes := {place.mode | some place in places; sealed(place)} if listed

# METADATA
# scope: document
# description: What becomes of the job; undefined where it reaches no sealed host.
force := "refused" if {
	some mode in modes
	mode in {"flag", "enforce"}
}

force := "observed" if modes == {"observe"}

groups contains group if some group in inventory.groups

# A group's own word counts too: hosts may join it that the site does not list one by one.
places contains host.of(name) if {
	some name, entry in data.hostseal.site.hosts
	some group in entry.groups
	group in groups
}

places contains object.union_n([data.hostseal.site["default"], said, {"groups": [group]}]) if {
	some group in groups
	said := object.get(data.hostseal.site.groups, group, {})
}

sealed(place) if {
	place.class != "mutable"
	not builds_images(place)
}

builds_images(place) if {
	some group in place.groups
	group in data.hostseal.site.gate.build_groups
}

# METADATA
# scope: document
# description: >
#   Whether the site allows this job: a template of this name, and the playbook, project and source that it runs.
default allowed := false

allowed if {
	some entry in data.hostseal.site.controller.allowed
	entry.template == input.job_template.name
	entry.playbook == input.playbook
	entry.project == input.project.name
	entry.scm_url == input.project.scm_url
	entry.scm_branch == branch
}

branch := input.scm_branch if input.scm_branch != ""

branch := input.project.scm_branch if input.scm_branch == ""
