# METADATA
# title: What the rules say of an event
# description: >
#   The findings of every package under hostseal.rules and what they ask for, as the site's data has it: rules that are
#   off say nothing, severities and flags are tuned, and what is exempted is found and named but asks for nothing.
# schemas:
#   - input: schema.input
package hostseal.ruling

import data.hostseal.exemption
import data.hostseal.policy_rules.exemption_expired
import data.hostseal.response
import data.hostseal.tuning

# METADATA
# scope: document
# description: All findings, with the exemption each falls under.
findings contains object.union(tuning.tuned(found), mark(found.rule)) if some found in said

said contains found if {
	some rule
	found_by_rule := data.hostseal.rules[rule].findings
	some found in found_by_rule
	tuning.on(rule)
}

said contains found if {
	some found in exemption_expired.findings
	tuning.on(found.rule)
}

default mark(_) := {}

mark(rule) := {"exemption": exemption.of(rule)}

# METADATA
# description: The findings that count, which no exemption covers.
counted contains found if {
	some found in findings
	not found.exemption
}

# METADATA
# scope: document
# description: The rules that flag the host.
flagging contains rule if {
	some rule
	"flag" in data.hostseal.rules[rule].asks
	heard(rule)
	tuning.may_flag(rule)
}

flagging contains found.rule if {
	some found in counted
	tuning.must_flag(found.rule)
}

# METADATA
# scope: document
# description: What is asked for, by the rules and by the site's answers to their findings.
asks contains "flag" if count(flagging) > 0

asks contains action if {
	some rule
	asked_by_rule := data.hostseal.rules[rule].asks
	some action in asked_by_rule
	action != "flag"
	heard(rule)
}

asks contains action if some action in response.asked(counted)

heard(rule) if {
	tuning.on(rule)
	not exemption.of(rule)
}
