# METADATA
# title: What each rule says
# description: >
#   The findings and wishes of the packages under hostseal.rules that are on and have any, each package looked at once.
package hostseal.saying

import data.hostseal.tuning

# METADATA
# description: The findings by rule.
findings[rule] := found if {
	some rule
	found := data.hostseal.rules[rule].findings
	count(found) > 0
	tuning.on(rule)
}

# METADATA
# description: What is asked for, by rule.
asks[rule] := asked if {
	some rule
	asked := data.hostseal.rules[rule].asks
	count(asked) > 0
	tuning.on(rule)
}
