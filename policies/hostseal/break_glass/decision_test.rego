package hostseal.break_glass_test

import data.hostseal.break_glass
import data.hostseal.samples_test as samples

decided(asked) := result if {
	result := break_glass.decision with input as asked with data.hostseal.site as samples.site
}

allowed := {
	"allowed": true,
	"violations": [],
	"findings": [],
	"actions": [],
	"would": [],
	"deadline_seconds": null,
}

test_a_short_certificate_with_a_ticket_is_allowed if decided(samples.wish) == allowed

test_so_is_an_extension_within_the_total if {
	decided(samples.wish_but({"asks": "extend", "total_seconds": 7200})) == allowed
}

test_one_that_holds_too_long_is_refused if {
	message := "A certificate holds 3600 seconds at most, not 3601."
	decided(samples.wish_but({"seconds": 3601})) == {
		"allowed": false,
		"violations": [message],
		"findings": [{
			"rule": "too_long",
			"severity": "high",
			"message": message,
			"controls": ["NIST AC-2", "NIST AC-17", "PCI 7.2", "CIS 6.2", "SOC2 CC6.3"],
		}],
		"actions": ["refuse"],
		"would": [],
		"deadline_seconds": null,
	}
}

test_each_reason_is_said if {
	asked := samples.wish_but({
		"seconds": 9000,
		"total_seconds": 9000,
		"authority": "SHA256:other",
		"extensions": ["permit-pty", "permit-port-forwarding"],
		"grant": {"ticket": "none"},
	})
	{finding.rule | some finding in decided(asked).findings} == {
		"too_long",
		"too_long_in_all",
		"unknown_authority",
		"too_much",
		"no_ticket",
	}
	count(decided(asked).violations) == 5
}

test_a_site_that_has_no_authority_allows_nothing if {
	site := samples.site_with({"break_glass": object.union(samples.site.break_glass, {"authorities": []})})
	not break_glass.decision.allowed with input as samples.wish with data.hostseal.site as site
}

refused(decision, why) if {
	[decision.allowed, decision.actions, decision.would] == [false, ["refuse"], []]
	decision.violations == [sprintf("The certificate cannot be judged: %s.", [why])]
	[finding.rule | some finding in decision.findings] == ["malformed_input"]
}

test_no_input_is_refused if {
	decision := break_glass.decision with data.hostseal.site as samples.site
	refused(decision, "there is no input")
	decided({}).allowed == false
}

test_no_site_data_is_refused if {
	decision := break_glass.decision with input as samples.wish with data.hostseal.site as {}
	refused(decision, concat("; ", [
		"the site's data has no break_glass.max_seconds",
		"the site's data has no break_glass.max_total_seconds",
	]))
}

test_the_sentence_says_which_part if {
	refused(decided(samples.wish_but({"extensions": [7]})), "break_glass.extensions holds something else than texts")
	refused(decided(samples.wish_but({"seconds": "30"})), "break_glass.seconds is a text, not a number")
}

test_a_malformed_question_is_refused if {
	every wrong in [
		samples.wish_but({"asks": "please"}),
		samples.wish_but({"seconds": "30"}),
		samples.wish_but({"total_seconds": null}),
		samples.wish_but({"authority": null}),
		samples.wish_but({"extensions": "permit-pty"}),
		samples.wish_but({"extensions": [7]}),
		samples.wish_but({"grant": {"user": null}}),
		samples.wish_but({"grant": {"drill": "no"}}),
		json.remove(samples.wish, ["break_glass/grant/ticket"]),
		json.remove(samples.wish, ["break_glass/grant"]),
	] {
		decided(wrong).findings[0].rule == "malformed_input"
	}
}

test_what_a_newer_client_adds_is_no_hindrance if decided(samples.wish_but({"colour": "red"})).allowed
