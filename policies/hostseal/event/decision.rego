# METADATA
# title: What an event on a host means
# description: >
#   Composes the findings of every package under hostseal.rules. Reads only the input and bundle data, so the
#   same log replays to the same decisions. An event of an unknown type is only recorded; one that cannot be
#   judged is answered by `malformed.rego`.
# schemas:
#   - input: schema.input
package hostseal.event

import data.hostseal.host
import data.hostseal.response

# METADATA
# description: The decision about the event in the input.
# entrypoint: true
decision := object.union(terms, {
	"allowed": count(violations) == 0,
	"violations": violations,
	"findings": [finding | some finding in findings],
	"actions": actions,
	"would": would,
	"deadline_seconds": deadline,
	"host": object.union(host.of(input.event.host.name), {"automation": data.hostseal.site.automation.accounts}),
}) if {
	judgeable
}

findings contains finding if {
	some rule in data.hostseal.rules
	some finding in rule.findings
}

asks contains action if {
	some rule in data.hostseal.rules
	some action in rule.asks
}

asks contains action if some action in response.asked(findings)

# A flag is the last word on a session that is suspect: it is not lifted by the same event.
steps := [action | some action in asks; not overruled(action)]

overruled("lift") if "flag" in asks

# The level only rises: the higher one is all that counts.
overruled("lockdown_automation_only") if "lockdown_closed" in asks

mode := host.of(input.event.host.name).mode

default observing := false

observing if mode == "observe"

# Mode flag takes no response; a lockdown acts on the hosts of its stage. What is held back stands in `would`.
acts(action) if {
	not observing
	not action in response.kinds
}

acts("terminate_session") if mode == "enforce"

acts(action) if {
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
violations := [finding.message | some finding in findings; breaks_seal(finding.rule)]

breaks_seal(rule) if {
	not observing
	"flag" in data.hostseal.rules[rule].asks
}

default deadline := null

deadline := min(deadlines) if "flag" in asks

deadlines contains data.hostseal.site.deadline_seconds

deadlines contains data.hostseal.rules.break_glass_worked.deadline
