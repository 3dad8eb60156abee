# METADATA
# title: Answers to cases
# description: For cases.py. What the policy says to each case of the input, and which rules it fires, be they on or off.
package cases

answers[name] := {"decision": decision(one), "fired": finding(one) | asking(one)} if some name, one in input

decision(one) := answer if {
	answer := data.hostseal.event.decision with input as one.input
		with data.hostseal.site as one.site
		with data.hostseal.bundle as one.bundle
}

finding(one) := rules if {
	rules := {rule | some rule; count(data.hostseal.rules[rule].findings) > 0} with input as one.input
		with data.hostseal.site as one.site
		with data.hostseal.bundle as one.bundle
}

asking(one) := rules if {
	rules := {rule | some rule; count(data.hostseal.rules[rule].asks) > 0} with input as one.input
		with data.hostseal.site as one.site
		with data.hostseal.bundle as one.bundle
}
