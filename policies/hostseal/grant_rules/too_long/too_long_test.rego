package hostseal.grant_rules.too_long_test

import data.hostseal.grant_rules.too_long
import data.hostseal.samples_test as samples

messages(asked) := result if {
	result := {finding.message | some finding in too_long.findings} with input as asked
		with data.hostseal.site as samples.site
}

test_it_is_refused if {
	messages(samples.wish_but({"seconds": 3601})) == {"A certificate holds 3600 seconds at most, not 3601."}
}

test_the_finding_is_named_after_the_rule if {
	some finding in too_long.findings with input as samples.wish_but({"seconds": 3601})
		with data.hostseal.site as samples.site
	finding.rule == "too_long"
}

test_what_the_site_allows_is_declined if {
	messages(samples.wish) == set()
	messages(samples.wish_but({"seconds": 3600})) == set()
}

test_no_input_finds_nothing if messages({}) == set()
