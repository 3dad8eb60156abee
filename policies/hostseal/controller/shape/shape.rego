# METADATA
# title: Which jobs get an answer
# description: >
#   What an automation controller posts before it starts a job, as far as a rule reads it. Everything else in it, the
#   extra variables and the credentials for two, is looked at by no rule.
# schemas:
#   - input: schema.controller.job
package hostseal.controller.shape

import data.hostseal.malformed
import data.hostseal.play.shape as gate

# METADATA
# scope: document
# description: The input is a controller's job, well or badly formed, and not the question of Hostseal's own gate.
default posted := false

posted if {
	not "play" in object.keys(gate.asked)
	some key in ["inventory", "job_template", "job_type", "launch_type", "playbook"]
	key in object.keys(job)
}

# What is read of a job, key by key: `opa deps` tells by it that nothing is missing where the rest was masked.
job["name"] := input.name

job["job_type"] := input.job_type

job["launch_type"] := input.launch_type

job["playbook"] := input.playbook

job["scm_branch"] := input.scm_branch

job["inventory"] := input.inventory

job["job_template"] := input.job_template

job["project"] := input.project

well_formed if count(problems) == 0

# METADATA
# scope: document
# description: What of the job is not as it should be, for the sentence that says so.
problems contains reason if {
	some reason in malformed.missing(job, parts)
}

problems contains sprintf("inventory.%s", [reason]) if {
	is_object(input.inventory)
	some reason in malformed.missing(input.inventory, {"name": {"string"}})
}

problems contains sprintf("%s.%s", [key, reason]) if {
	some key in ["job_template", "project"]
	is_object(job[key])
	some reason in malformed.missing(job[key], named[key])
}

parts := {
	"name": {"string"},
	"job_type": ["run", "check"],
	"playbook": {"string"},
	"scm_branch": {"string"},
	"inventory": {"null", "object"},
	"job_template": {"null", "object"},
	"project": {"null", "object"},
}

named := {
	"job_template": {"name": {"string"}},
	"project": {"name": {"string"}, "scm_url": {"string"}, "scm_branch": {"string"}},
}
