package hostseal.rules.gate_changed_test

import data.hostseal.rules.gate_changed
import data.hostseal.samples_test as samples

messages(asked) := result if {
	result := {finding.message | some finding in gate_changed.findings} with input as asked
		with data.hostseal.site as samples.site
}

changed(person, reason) := samples.about("gate.changed", {
	"state": "off",
	"before": "armed",
	"cause": "disarmed",
	"person": person,
	"reason": reason,
})

test_it_says_what_changed_and_by_whom if {
	messages(changed(null, null)) == {"The login gate is off, it was armed: disarmed."}
	messages(changed("carol", "drill")) == {"The login gate is off, it was armed: disarmed, by carol: drill."}
	gate_changed.asks == set()
}

test_other_events_are_declined if {
	messages(samples.opened(samples.alice)) == set()
	messages({}) == set()
}
