# METADATA
# title: What a play would do to which hosts
# description: >
#   Which tasks change something, and which of the hosts they reach are sealed. What a host is comes from bundle data by
#   its name. A machine of the list `controllers` is the one that runs the play: it is sealed only if the site lists it.
# schemas:
#   - input: schema.play.decision
package hostseal.gate

import data.hostseal.host

# METADATA
# description: The tasks that may change something, in the play's order.
changing := [task |
	some task in input.play.tasks
	not task.check
	not reads_only(task)
	not allowed_role(task)
]

reads_only(task) if {
	not task.dynamic
	data.hostseal.site.gate.read_only_modules[task.module] == true
}

# A role is known by the collection it was loaded from: a name alone can be given to any folder.
allowed_role(task) if task.collection in data.hostseal.site.gate.allowed_collections

allowed_role(task) if {
	is_string(task.collection)
	sprintf("%s.%s", [task.collection, task.role]) in data.hostseal.site.gate.allowed_roles
}

# METADATA
# description: The sealed hosts that these tasks reach, by what their mode does with a refusal.
sealed(tasks) := {"refused": refused, "observed": reached - refused} if {
	reached := {name | some name in places(tasks); is_sealed(name)}
	refused := {name | some name in reached; not only_observed(name)}
}

only_observed(name) if host.of(real(name)).mode == "observe"

places(tasks) := {task.target.host | some task in tasks; task.target.kind == "host"} | {name |
	on_the_play(tasks)
	some name in input.play.hosts
}

on_the_play(tasks) if {
	some task in tasks
	task.target.kind == "play"
}

is_sealed(name) if {
	not builds_images(name)
	not unlisted_controller(name)
	not mutable(name)
}

mutable(name) if host.of(real(name)).class == "mutable"

builds_images(name) if {
	some group in host.of(real(name)).groups
	group in data.hostseal.site.gate.build_groups
}

unlisted_controller(name) if {
	name in data.hostseal.site.gate.controllers
	not host.listed(input.requested_by.controller)
}

real(name) := input.requested_by.controller if name in data.hostseal.site.gate.controllers

real(name) := name if not name in data.hostseal.site.gate.controllers

# METADATA
# description: Those of the tasks that reach one of the hosts.
reaching(tasks, hosts) := [task | some task in tasks; reaches(task, hosts)]

reaches(task, hosts) if {
	task.target.kind == "play"
	some name in input.play.hosts
	name in hosts
}

reaches(task, hosts) if task.target.host in hosts

# METADATA
# scope: document
# description: What becomes of a task that may reach any host; the strictest mode of the whole site counts.
default anywhere := "observed"

anywhere := "refused" if {
	some mode in modes
	mode != "observe"
}

# METADATA
# scope: document
# description: Every mode that the site speaks of.
modes := {data.hostseal.site["default"].mode} | {entry.mode |
	some section in [data.hostseal.site.groups, data.hostseal.site.hosts]
	some entry in section
}
