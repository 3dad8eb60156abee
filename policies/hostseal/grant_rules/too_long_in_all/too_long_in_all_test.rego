package hostseal.grant_rules.too_long_in_all_test

import data.hostseal.grant_rules.too_long_in_all
import data.hostseal.samples_test as samples

messages(asked) := result if {
	result := {finding.message | some finding in too_long_in_all.findings} with input as asked
		with data.hostseal.site as samples.site
}

test_it_is_refused if {
	messages(samples.wish_but({"total_seconds": 7201})) == {
		"A grant holds 7200 seconds at most with its extensions, not 7201.",
	}
}

test_the_finding_is_named_after_the_rule if {
	some finding in too_long_in_all.findings with input as samples.wish_but({"total_seconds": 7201})
		with data.hostseal.site as samples.site
	finding.rule == "too_long_in_all"
}

test_what_the_site_allows_is_declined if {
	messages(samples.wish) == set()
	messages(samples.wish_but({"total_seconds": 7200})) == set()
}

test_no_input_finds_nothing if messages({}) == set()
