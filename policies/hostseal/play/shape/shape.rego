# METADATA
# title: Which plays get an answer
# description: What every rule about plays relies on, checked once. Looser than the schema; a newer gate may say more.
# schemas:
#   - input: schema.play.decision
package hostseal.play.shape

import data.hostseal.malformed

well_formed if {
	is_string(input.play.name)
	is_boolean(input.play.check)
	is_string(input.requested_by.controller)
	texts(input.play.hosts)
	texts(input.play.sets)
	is_array(input.play.tasks)
	every task in input.play.tasks {
		readable(task)
	}
}

texts(list) if {
	is_array(list)
	every text in list {
		is_string(text)
	}
}

readable(task) if {
	is_string(task.name)
	is_boolean(task.check)
	is_boolean(task.dynamic)
	text_or_null(task.module)
	text_or_null(task.role)
	text_or_null(task.collection)
	placed(task.target)
}

text_or_null(null)

text_or_null(text) if is_string(text)

placed(target) if target.kind in {"play", "unknown"}

placed(target) if {
	target.kind == "host"
	is_string(target.host)
}

# METADATA
# scope: document
# description: What of the input is not as it should be, for the sentence that says so.
problems := malformed.missing(asked, parts) | spoilt if count(asked) > 0

problems := {"there is no play in it"} if count(asked) == 0

# Key by key, as of a controller's job.
asked["play"] := input.play

asked["requested_by"] := input.requested_by

spoilt contains sprintf("play.tasks[%d].%s", [at, reason]) if {
	is_array(input.play.tasks)
	some at, task in input.play.tasks
	some reason in malformed.missing(task, task_parts)
}

spoilt contains sprintf("play.%s holds something else than texts", [key]) if {
	some key in ["hosts", "sets"]
	is_array(input.play[key])
	not texts(input.play[key])
}

parts := {
	"play.name": {"string"},
	"play.check": {"boolean"},
	"play.hosts": {"array"},
	"play.sets": {"array"},
	"play.tasks": {"array"},
	"requested_by.controller": {"string"},
}

task_parts := {
	"name": {"string"},
	"check": {"boolean"},
	"dynamic": {"boolean"},
	"module": {"null", "string"},
	"role": {"null", "string"},
	"collection": {"null", "string"},
	"target.kind": ["play", "host", "unknown"],
}
