package hostseal.rules.sensor_lost_test

import data.hostseal.rules.sensor_lost
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := sensor_lost.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := sensor_lost.findings with input as asked with data.hostseal.site as samples.site
}

messages(asked) := {finding.message | some finding in findings(asked)}

test_a_loss_is_a_finding if {
	findings(samples.lost) == {{
		"rule": "sensor_lost",
		"severity": "medium",
		"message": concat("", [
			"The sensor fanotify lost sight of /etc from 2026-01-02T03:04:05.000000Z to 2026-01-02T03:04:06.000000Z: ",
			"queue_overflow; it was scanned again.",
		]),
		"controls": ["NIST AU-5", "NIST SI-4", "PCI 10.7", "CIS 8.2", "CIS 13.2", "SOC2 CC7.2"],
	}}
}

test_what_is_not_known_is_said if {
	messages(samples.but(samples.lost, {"since": null, "rescanned": false})) == {concat("", [
		"The sensor fanotify lost sight of /etc to 2026-01-02T03:04:06.000000Z: queue_overflow; ",
		"what it missed is not known.",
	])}
	messages(samples.but(samples.lost, {"since": null, "until": null})) == {concat("", [
		"The sensor fanotify lost sight of /etc: queue_overflow; it was scanned again.",
	])}
	messages(samples.but(samples.lost, {"until": null})) == {concat("", [
		"The sensor fanotify lost sight of /etc from 2026-01-02T03:04:05.000000Z: queue_overflow; ",
		"it was scanned again.",
	])}
}

test_a_listed_cause_flags_the_host if asks(samples.lost) == {"flag"}

test_another_cause_is_declined if asks(samples.but(samples.lost, {"cause": "restart"})) == set()

test_other_events_are_declined if findings(samples.opened(samples.alice)) == set()

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}

test_a_loss_that_was_made_up_for_is_another_rules if {
	findings(samples.but(samples.lost, {"cause": "the agent was not running"})) == set()
	asks(samples.but(samples.lost, {"cause": "the agent was not running"})) == set()
	count(findings(samples.but(samples.lost, {"cause": "the agent was not running", "rescanned": false}))) == 1
}
