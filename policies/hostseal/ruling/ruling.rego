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
import data.hostseal.saying
import data.hostseal.tuning

# METADATA
# scope: document
# description: All findings, with the exemption each falls under.
findings contains object.union(tuning.tuned(found), mark(found.rule)) if some found in said

said contains found if {
	some findings_of_rule in saying.findings
	some found in findings_of_rule
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
	some rule, asked in saying.asks
	"flag" in asked
	not exemption.of(rule)
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
	some rule, asked in saying.asks
	some action in asked
	action != "flag"
	not exemption.of(rule)
}

asks contains action if some action in response.asked(counted)
