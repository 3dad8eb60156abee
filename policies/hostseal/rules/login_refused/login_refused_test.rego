package hostseal.rules.login_refused_test

import data.hostseal.rules.login_refused
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := login_refused.asks with input as asked with data.hostseal.site as samples.site
}

messages(asked) := result if {
	result := {finding.message | some finding in login_refused.findings} with input as asked
		with data.hostseal.site as samples.site
}

refused(phase, by) := samples.about("login.refused", object.union(samples.alice, {"phase": phase, "by": by}))

test_a_refusal_is_told if {
	messages(refused("account", "policy")) == {concat("", [
		"alice (key SHA256:alice) from 192.0.2.7 was refused in the account phase by the policy.",
	])}
	count(messages(refused("account", "on_failure"))) == 1
}

test_a_session_that_was_refused_is_suspect_no_longer if {
	asks(refused("session", "policy")) == {"lift"}
	asks(samples.standing(refused("session", "policy"), "flagged")) == set()
	asks(refused("account", "policy")) == set()
}

test_other_events_are_declined if {
	asks(samples.opened(samples.alice)) == set()
	messages(samples.opened(samples.alice)) == set()
	messages({}) == set()
}
