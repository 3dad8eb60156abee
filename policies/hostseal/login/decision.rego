# METADATA
# title: Whether a login is admitted
# description: >
#   Composes the findings of every package under hostseal.login_rules. Asked twice: in PAM's account phase, where a text
#   reaches every client and the key is not known yet, and in the session phase, which knows the key and has the last
#   word. Only an armed gate of a host in mode `enforce` refuses; elsewhere `would` says that it would. An input
#   that cannot be judged is refused.
# schemas:
#   - input: schema.input
#   - input.login: schema.login.gate
package hostseal.login

import data.hostseal.host
import data.hostseal.login.shape
import data.hostseal.malformed
import data.hostseal.rollout

# METADATA
# description: The decision about the login in the input.
# entrypoint: true
decision := {
	"allowed": count(violations) == 0,
	"violations": violations,
	"findings": [finding | some finding in findings],
	"actions": ["refuse" | count(violations) > 0],
	"would": ["refuse" | count(observed) > 0],
	"deadline_seconds": deadline,
	"host": host.of(input.event.host.name),
} if {
	judgeable
}

decision := malformed.answer(
	"The login",
	problems,
	["refuse" | closed],
	["refuse" | not closed],
) if {
	not judgeable
}

judgeable if {
	shape.well_formed
	mode in {"observe", "flag", "enforce"}
}

problems := shape.problems if not shape.well_formed

problems := {malformed.unknown_mode(input.event.host.name)} if shape.well_formed

mode := host.of(input.event.host.name).mode

findings contains finding if {
	some rule
	found := data.hostseal.login_rules[rule].findings
	some finding in found
}

refusals := [sentence |
	some rule
	refused := data.hostseal.login_rules[rule].refusals
	some sentence in refused
]

violations := [sentence | some sentence in refusals; closed]

observed := [sentence | some sentence in refusals; not closed]

closed if {
	mode == "enforce"
	input.login.armed == true
	rollout.acts("refuse")
}

# What the login costs: the host is replaced so many seconds after it.
default deadline := null

deadline := data.hostseal.login_rules.break_glass_login.price
