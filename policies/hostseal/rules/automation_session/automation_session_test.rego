package hostseal.rules.automation_session_test

import data.hostseal.rules.automation_session
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := automation_session.asks with input as asked with data.hostseal.site as samples.site
}

test_automations_channel_lifts_a_suspicion if {
	asks(samples.standing(samples.channel(samples.deploy, "shell", "pts/0"), "suspect")) == {"lift"}
}

test_an_intact_seal_and_a_flag_stay_as_they_are if {
	asks(samples.channel(samples.deploy, "command", null)) == set()
	asks(samples.standing(samples.channel(samples.deploy, "command", null), "flagged")) == set()
}

test_a_person_is_declined if {
	asks(samples.standing(samples.channel(samples.alice, "command", null), "suspect")) == set()
}

test_no_input_asks_nothing if asks({}) == set()
