# METADATA
# title: Whether a play may run
# description: >
#   Composes the findings of every package under hostseal.play_rules, for the gate in a play, for the command line in
#   CI and for an automation controller alike. On hosts in mode `observe` nothing is refused: `would` says that it
#   would be. An input that cannot be judged is refused.
# schemas:
#   - input: schema.play.decision
package hostseal.play

import data.hostseal.controller
import data.hostseal.controller.shape as job
import data.hostseal.host
import data.hostseal.malformed
import data.hostseal.play.shape

# METADATA
# description: The decision about the play in the input.
# entrypoint: true
decision := {
	"allowed": count(violations) == 0,
	"violations": violations,
	"findings": [finding | some finding in findings],
	"actions": ["refuse" | count(violations) > 0],
	"would": ["refuse" | count(observed) > 0],
	"deadline_seconds": null,
} if {
	judgeable
}

decision := malformed.answer(asked, problems, ["refuse"], []) if not judgeable

judgeable if {
	not job.posted
	shape.well_formed
	count(unknown_modes) == 0
}

judgeable if {
	job.posted
	job.well_formed
	count(controller.modes - modes) == 0
}

asked := "The job" if job.posted

asked := "The play" if not job.posted

default problems := set()

problems := shape.problems | unknown_modes if not job.posted

problems := job.problems | {sentence |
	some mode in (controller.modes - modes)
	sentence := sprintf("%q in the site's data is none of the modes observe, flag and enforce", [mode])
} if {
	job.posted
}

unknown_modes contains malformed.unknown_mode(name) if {
	some name in input.play.hosts
	is_string(name)
	not known(name)
}

known(name) if host.of(name).mode in modes

modes := {"observe", "flag", "enforce"}

findings contains finding if {
	some rule
	found := data.hostseal.play_rules[rule].findings
	some finding in found
}

violations := [sentence | some sentence in refused]

refused contains sentence if {
	some rule
	sentence := data.hostseal.play_rules[rule].sentences.refused
}

observed contains sentence if {
	some rule
	sentence := data.hostseal.play_rules[rule].sentences.observed
}
