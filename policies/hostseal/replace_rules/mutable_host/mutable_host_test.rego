package hostseal.replace_rules.mutable_host_test

import data.hostseal.replace_rules.mutable_host
import data.hostseal.samples_test as samples

messages(asked) := {finding.message | some finding in findings(asked)}

findings(asked) := result if {
	result := mutable_host.findings with input as asked with data.hostseal.site as samples.site
}

test_a_mutable_host_is_refused if {
	messages(samples.replacement_but({"host": {"name": "pet-1-g2"}})) == {
		"pet-1-g2 is of class mutable: it is never replaced. Repair it, and pardon the flag.",
	}
}

test_a_host_that_may_be_replaced_is_declined if findings(samples.replacement) == set()

test_no_input_finds_nothing if findings({}) == set()
