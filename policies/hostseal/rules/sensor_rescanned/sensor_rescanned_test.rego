package hostseal.rules.sensor_rescanned_test

import data.hostseal.rules.sensor_rescanned
import data.hostseal.samples_test as samples

findings(asked) := result if {
	result := sensor_rescanned.findings with input as asked with data.hostseal.site as samples.site
}

restarted := samples.but(samples.lost, {"cause": "the agent was not running"})

test_a_loss_that_was_made_up_for_is_on_record if {
	findings(restarted) == {{
		"rule": "sensor_rescanned",
		"severity": "low",
		"message": concat("", [
			"The sensor fanotify lost sight of /etc from 2026-01-02T03:04:05.000000Z to 2026-01-02T03:04:06.000000Z: ",
			`"the agent was not running"; it was scanned again.`,
		]),
		"controls": ["NIST AU-5", "NIST SI-4", "PCI 10.7", "CIS 8.2", "SOC2 CC7.2"],
	}}
}

test_what_was_not_scanned_again_is_declined if findings(samples.but(restarted, {"rescanned": false})) == set()

test_a_cause_that_flags_is_declined if findings(samples.lost) == set()

test_other_events_are_declined if findings(samples.opened(samples.alice)) == set()

test_no_input_finds_nothing if findings({}) == set()
