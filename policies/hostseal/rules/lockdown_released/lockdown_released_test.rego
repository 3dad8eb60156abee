package hostseal.rules.lockdown_released_test

import data.hostseal.rules.lockdown_released
import data.hostseal.samples_test as samples

released(how) := samples.about("lockdown.released", {
	"how": how,
	"incident": "inc-1",
	"level": "closed",
	"person": "carol",
	"reason": "a drill",
})

messages(asked) := result if {
	result := {finding.message | some finding in lockdown_released.findings} with input as asked
		with data.hostseal.site as samples.site
}

test_a_release_is_on_record if {
	messages(released("signed")) == {`carol released the lockdown closed of incident inc-1: "a drill".`}
}

test_a_purge_is_on_record if {
	messages(released("purge")) == {concat("", [
		"carol purged the agent, and with it the lockdown closed of incident inc-1: ",
		`"a drill".`,
	])}
}

test_an_unknown_way_is_declined if messages(released("moon")) == set()

test_other_events_are_declined if messages(samples.opened(samples.alice)) == set()

test_no_input_finds_nothing if messages({}) == set()
