package hostseal.rules.witnesses_disagree_test

import data.hostseal.rules.witnesses_disagree
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := witnesses_disagree.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := witnesses_disagree.findings with input as asked with data.hostseal.site as samples.site
}

messages(asked) := {finding.message | some finding in findings(asked)}

test_a_disagreement_is_a_finding if {
	findings(samples.disagreement) == {{
		"rule": "witnesses_disagree",
		"severity": "medium",
		"message": concat("", [
			"The witnesses of a login by alice from 192.0.2.7 disagree: seen by journal, logind, not by pam; ",
			"the PAM hook has not reported a session that others have seen.",
		]),
		"controls": ["NIST AU-5", "NIST AU-10", "NIST SI-4", "PCI 10.2", "PCI 10.7", "CIS 8.11", "SOC2 CC7.2"],
	}}
}

test_how_often_and_what_is_not_known_is_said if {
	asked := samples.but(samples.disagreement, {
		"source": null, "seen_by": [], "missing": ["sshd"], "count": 7, "why": "it is forged",
	})
	messages(asked) == {concat("", [
		"The witnesses of a login by alice from an unknown address disagree (7 times): seen by nobody, not by sshd; ",
		"it is forged.",
	])}
}

test_a_sentence_that_is_none_is_quoted if {
	asked := samples.but(samples.disagreement, {"why": "a\u001b[2J"})
	some message in messages(asked)
	endswith(message, `; "a\x1b[2J".`)
}

test_a_listed_witness_flags_the_host if asks(samples.disagreement) == {"flag"}

test_another_witness_is_declined if asks(samples.but(samples.disagreement, {"missing": ["journal"]})) == set()

test_other_events_are_declined if findings(samples.opened(samples.alice)) == set()

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}
