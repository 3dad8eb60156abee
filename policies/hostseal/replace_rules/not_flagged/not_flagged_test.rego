package hostseal.replace_rules.not_flagged_test

import data.hostseal.replace_rules.not_flagged
import data.hostseal.samples_test as samples

messages(asked) := {finding.message | some finding in findings(asked)}

findings(asked) := result if {
	result := not_flagged.findings with input as asked with data.hostseal.site as samples.site
}

test_a_sealed_host_is_refused if {
	messages(samples.replacement_but({"standing": "sealed", "incident": null})) == {concat("", [
		"web-1-g2 is not flagged: its standing is sealed. Only a flagged host is replaced.",
	])}
	count(messages(samples.replacement_but({"standing": "suspect"}))) == 1
}

test_a_flag_without_its_incident_is_refused if {
	messages(samples.replacement_but({"incident": null})) == {concat("", [
		"web-1-g2 is not flagged: its standing is flagged without an incident. ",
		"Only a flagged host is replaced.",
	])}
}

test_a_host_that_may_be_replaced_is_declined if findings(samples.replacement) == set()

test_no_input_finds_nothing if findings({}) == set()
