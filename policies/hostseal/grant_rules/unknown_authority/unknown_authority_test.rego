package hostseal.grant_rules.unknown_authority_test

import data.hostseal.grant_rules.unknown_authority
import data.hostseal.samples_test as samples

messages(asked) := result if {
	result := {finding.message | some finding in unknown_authority.findings} with input as asked
		with data.hostseal.site as samples.site
}

test_it_is_refused if {
	messages(samples.wish_but({"authority": "SHA256:other"})) == {
		"SHA256:other is not one of the break-glass authorities of this site.",
	}
}

test_the_finding_is_named_after_the_rule if {
	some finding in unknown_authority.findings with input as samples.wish_but({"authority": "SHA256:other"})
		with data.hostseal.site as samples.site
	finding.rule == "unknown_authority"
}

test_what_the_site_allows_is_declined if {
	messages(samples.wish) == set()
	messages(samples.wish_but({"authority": "SHA256:glass"})) == set()
}

test_no_input_finds_nothing if messages({}) == set()
