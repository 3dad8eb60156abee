package hostseal.replace_rules.too_many_attempts_test

import data.hostseal.replace_rules.too_many_attempts
import data.hostseal.samples_test as samples

messages(asked) := {finding.message | some finding in findings(asked)}

findings(asked) := result if {
	result := too_many_attempts.findings with input as asked with data.hostseal.site as samples.site
}

test_the_limit_is_refused if {
	messages(samples.replacement_but({"attempts": 3})) == {
		"The replacement of web-1-g2 has failed 3 times; the limit is 3. Find out why first.",
	}
	count(messages(samples.replacement_but({"attempts": 4}))) == 1
}

test_fewer_are_declined if findings(samples.replacement_but({"attempts": 2})) == set()

test_a_host_that_may_be_replaced_is_declined if findings(samples.replacement) == set()

test_no_input_finds_nothing if findings({}) == set()
