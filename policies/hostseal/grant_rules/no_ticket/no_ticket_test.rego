package hostseal.grant_rules.no_ticket_test

import data.hostseal.grant_rules.no_ticket
import data.hostseal.samples_test as samples

messages(asked) := result if {
	result := {finding.message | some finding in no_ticket.findings} with input as asked
		with data.hostseal.site as samples.site
}

test_it_is_refused if {
	messages(samples.wish_but({"grant": {"ticket": "because"}})) == {"because is not a ticket of this site."}
}

test_the_finding_is_named_after_the_rule if {
	some finding in no_ticket.findings with input as samples.wish_but({"grant": {"ticket": "because"}})
		with data.hostseal.site as samples.site
	finding.rule == "no_ticket"
}

test_what_the_site_allows_is_declined if {
	messages(samples.wish) == set()
	messages(samples.wish_but({"grant": {"ticket": "INC-77"}})) == set()
}

test_no_input_finds_nothing if messages({}) == set()
