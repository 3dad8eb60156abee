package hostseal.grant_rules.too_much_test

import data.hostseal.grant_rules.too_much
import data.hostseal.samples_test as samples

messages(asked) := result if {
	result := {finding.message | some finding in too_much.findings} with input as asked
		with data.hostseal.site as samples.site
}

test_it_is_refused if {
	messages(samples.wish_but({"extensions": ["permit-port-forwarding"]})) == {
		"A break-glass login may not have permit-port-forwarding.",
	}
}

test_the_finding_is_named_after_the_rule if {
	some finding in too_much.findings with input as samples.wish_but({"extensions": ["permit-port-forwarding"]})
		with data.hostseal.site as samples.site
	finding.rule == "too_much"
}

test_what_the_site_allows_is_declined if {
	messages(samples.wish) == set()
	messages(samples.wish_but({"extensions": []})) == set()
}

test_no_input_finds_nothing if messages({}) == set()
