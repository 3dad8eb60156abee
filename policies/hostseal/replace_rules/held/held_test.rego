package hostseal.replace_rules.held_test

import data.hostseal.replace_rules.held
import data.hostseal.samples_test as samples

messages(asked) := {finding.message | some finding in findings(asked)}

findings(asked) := result if {
	result := held.findings with input as asked with data.hostseal.site as samples.site
}

test_a_held_host_is_refused if {
	messages(samples.replacement_but({"held": true})) == {"web-1-g2 is held. Take the hold back first."}
}

test_a_host_that_may_be_replaced_is_declined if findings(samples.replacement) == set()

test_no_input_finds_nothing if findings({}) == set()
