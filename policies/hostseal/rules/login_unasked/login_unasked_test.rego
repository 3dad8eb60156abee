package hostseal.rules.login_unasked_test

import data.hostseal.rules.login_unasked
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := login_unasked.asks with input as asked with data.hostseal.site as samples.site
}

messages(asked) := result if {
	result := {finding.message | some finding in login_unasked.findings} with input as asked
		with data.hostseal.site as samples.site
}

unasked(flag) := samples.about("login.unasked", object.union(samples.alice, {
	"phase": "account",
	"cause": "OPA is down",
	"flag": flag,
}))

test_the_hosts_settings_say_whether_it_flags if {
	asks(unasked(true)) == {"flag"}
	asks(unasked(false)) == set()
	count(messages(unasked(false))) == 1
}

test_other_events_are_declined if {
	asks(samples.opened(samples.alice)) == set()
	messages(samples.opened(samples.alice)) == set()
	messages({}) == set()
}
