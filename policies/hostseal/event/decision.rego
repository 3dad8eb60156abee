# METADATA
# title: What an event on a host means
# description: >
#   Composes the findings of every package under hostseal.rules. Reads only the input and bundle data, so the
#   same log replays to the same decisions. An event of an unknown type is only recorded; a malformed input
#   has no decision at all, which is no answer and neither allows nor denies.
# schemas:
#   - input: schema.input
package hostseal.event

import data.hostseal.host
import data.hostseal.response
import data.hostseal.rollout
import data.hostseal.ruling
import data.hostseal.shape

# METADATA
# description: The decision about the event in the input.
# entrypoint: true
decision := object.union(terms, {
	"allowed": count(violations) == 0,
	"violations": violations,
	"findings": [finding | some finding in ruling.findings],
	"actions": actions,
	"would": would,
	"deadline_seconds": deadline,
	"host": object.union(host.of(input.event.host.name), {"automation": data.hostseal.site.automation.accounts}),
}) if {
	shape.well_formed
	mode in {"observe", "flag", "enforce"}
}

# A flag is the last word on a session that is suspect: it is not lifted by the same event.
steps := [action | some action in ruling.asks; not overruled(action)]

overruled("lift") if "flag" in ruling.asks

# The level only rises: the higher one is all that counts.
overruled("lockdown_automation_only") if "lockdown_closed" in ruling.asks

mode := host.of(input.event.host.name).mode

default observing := false

observing if mode == "observe"

acts(action) if {
	allows(action)
	rollout.acts(action)
}

# Mode flag takes no response; a lockdown acts on the hosts of its stage. What mode or stage holds back is in `would`.
allows(action) if {
	not observing
	not action in response.kinds
}

allows("terminate_session") if mode == "enforce"

allows(action) if {
	mode == "enforce"
	action in response.lockdowns
	response.staged
}

actions := [action | some action in steps; acts(action)]

would := [action | some action in steps; not acts(action)]

default terms := {}

terms := {"lockdown": response.terms} if {
	some action in actions
	action in response.lockdowns
}

# What a rule says that flags the host. Nothing is a violation where the policy only observes.
violations := [finding.message |
	acts("flag")
	some finding in ruling.counted
	finding.rule in ruling.flagging
]

default deadline := null

deadline := min(deadlines) if "flag" in ruling.asks

deadlines contains data.hostseal.site.deadline_seconds

deadlines contains data.hostseal.site.deadlines.severities[finding.severity] if {
	some finding in ruling.counted
	finding.rule in ruling.flagging
}

deadlines contains seconds if {
	some group in host.of(input.event.host.name).groups
	seconds := data.hostseal.site.deadlines.groups[group]
}

deadlines contains data.hostseal.rules.break_glass_worked.deadline if "break_glass_worked" in ruling.flagging
