package hostseal.replace_rules.only_observed_test

import data.hostseal.replace_rules.only_observed
import data.hostseal.samples_test as samples

messages(asked) := {finding.message | some finding in findings(asked)}

findings(asked) := result if {
	result := only_observed.findings with input as asked with data.hostseal.site as samples.site
}

test_a_host_in_mode_observe_is_refused if {
	messages(samples.replacement_but({"host": {"name": "lab-1"}})) == {
		"lab-1 is in mode observe: it would be replaced in mode flag.",
	}
}

test_a_host_that_may_be_replaced_is_declined if findings(samples.replacement) == set()

test_no_input_finds_nothing if findings({}) == set()
