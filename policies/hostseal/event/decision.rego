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
import data.hostseal.shape

# METADATA
# description: The decision about the event in the input.
# entrypoint: true
decision := {
	"allowed": count(violations) == 0,
	"violations": violations,
	"findings": [finding | some finding in findings],
	"actions": actions,
	"would": would,
	"deadline_seconds": deadline,
	"host": object.union(host.of(input.event.host.name), {"automation": data.hostseal.site.automation.accounts}),
} if {
	shape.well_formed
	mode in {"observe", "flag", "enforce"}
}

findings contains finding if {
	some rule in data.hostseal.rules
	some finding in rule.findings
}

asks contains action if {
	some rule in data.hostseal.rules
	some action in rule.asks
}

# A flag is the last word on a session that is suspect: it is not lifted by the same event.
steps := [action | some action in asks; not overruled(action)]

overruled("lift") if "flag" in asks

mode := host.of(input.event.host.name).mode

default observing := false

observing if mode == "observe"

actions := steps if not observing

actions := [] if observing

would := steps if observing

would := [] if not observing

# What a rule says that flags the host. Nothing is a violation where the policy only observes.
violations := [finding.message | some finding in findings; breaks_seal(finding.rule)]

breaks_seal(rule) if {
	not observing
	"flag" in data.hostseal.rules[rule].asks
}

default deadline := null

deadline := data.hostseal.site.deadline_seconds if "flag" in asks
