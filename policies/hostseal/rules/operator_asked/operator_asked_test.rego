package hostseal.rules.operator_asked_test

import data.hostseal.rules.operator_asked
import data.hostseal.samples_test as samples

wish(about) := samples.about("operator.asked", object.union(
	{
		"person": "carol",
		"reason": "a drill\nof ours",
		"wish": "lockdown",
		"level": "closed",
		"session": null,
	},
	about,
))

asks(asked) := result if {
	result := operator_asked.asks with input as asked with data.hostseal.site as samples.site
}

messages(asked) := result if {
	result := {finding.message | some finding in operator_asked.findings} with input as asked
		with data.hostseal.site as samples.site
}

test_a_level_is_asked_for if {
	asks(wish({})) == {"lockdown_closed"}
	messages(wish({})) == {`carol asked to lock SSH down to closed: "a drill\nof ours".`}
	asks(wish({"level": "automation_only"})) == {"lockdown_automation_only"}
}

test_a_sessions_end_is_asked_for if {
	asked := wish({"wish": "terminate_session", "level": null, "session": samples.alice})
	asks(asked) == {"terminate_session"}
	messages(asked) == {`carol asked to end session 12 of alice: "a drill\nof ours".`}
}

test_what_is_no_level_and_no_session_is_declined if {
	every about in [
		{"level": "open"},
		{"level": null},
		{"level": "closed\nx"},
		{"wish": "flag"},
		{"wish": "terminate_session", "session": null},
		{"wish": "terminate_session", "session": {"user": "alice", "audit_session": null}},
	] {
		asks(wish(about)) == set()
		messages(wish(about)) == set()
	}
}

test_other_events_are_declined if {
	asks(samples.opened(samples.alice)) == set()
	messages(samples.opened(samples.alice)) == set()
}

test_no_input_asks_nothing if {
	asks({}) == set()
	messages({}) == set()
}
