# METADATA
# title: Whether a play may run
# description: >
#   Composes the findings of every package under hostseal.play_rules, for the gate in a play, for the command line in
#   CI and for an automation controller alike. On hosts in mode `observe` nothing is refused: `would` says that it
#   would be. A malformed input has no decision at all, which is no answer and neither allows nor denies.
# schemas:
#   - input: schema.play.decision
package hostseal.play

import data.hostseal.host
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
	shape.well_formed
	every name in input.play.hosts {
		host.of(name).mode in {"observe", "flag", "enforce"}
	}
}

findings contains finding if {
	some rule in data.hostseal.play_rules
	some finding in rule.findings
}

violations := [sentence | some sentence in refused]

refused contains sentence if {
	some rule in data.hostseal.play_rules
	sentence := rule.sentences.refused
}

observed contains sentence if {
	some rule in data.hostseal.play_rules
	sentence := rule.sentences.observed
}
