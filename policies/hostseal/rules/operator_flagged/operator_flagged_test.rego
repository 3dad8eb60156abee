package hostseal.rules.operator_flagged_test

import data.hostseal.rules.operator_flagged
import data.hostseal.samples_test as samples

flagged := samples.about("operator.flagged", {"person": "carol", "reason": "the disk\nis dying"})

asks(asked) := result if {
	result := operator_flagged.asks with input as asked with data.hostseal.site as samples.site
}

messages(asked) := result if {
	result := {finding.message | some finding in operator_flagged.findings} with input as asked
		with data.hostseal.site as samples.site
}

test_an_operators_word_flags_the_host if {
	asks(flagged) == {"flag"}
	messages(flagged) == {`carol flagged the host: "the disk\nis dying".`}
}

test_other_events_are_declined if {
	asks(samples.opened(samples.alice)) == set()
	messages(samples.opened(samples.alice)) == set()
}

test_no_input_asks_nothing if {
	asks({}) == set()
	messages({}) == set()
}
