package hostseal.rules.blind_too_long_test

import data.hostseal.rules.blind_too_long
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := blind_too_long.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

lost(since, until) := samples.but(samples.lost, {"since": since, "until": until})

test_a_long_loss_is_found if {
	findings(lost("2026-01-02T03:04:05.000000Z", "2026-01-02T03:14:06.900000Z")) == {{
		"rule": "blind_too_long",
		"severity": "high",
		"message": "The sensor fanotify saw nothing of /etc for 601 seconds; 600 are allowed.",
		"controls": ["NIST AU-5", "NIST SI-4", "PCI 10.7", "CIS 8.2", "CIS 13.2", "SOC2 CC7.2"],
	}}
}

test_a_loss_that_lasts_is_measured_to_its_event if {
	count(findings(lost("2026-01-02T02:04:05.000000Z", null))) == 1
	findings(lost("2026-01-02T03:04:00.000000Z", null)) == set()
}

test_a_short_loss_is_declined if {
	findings(lost("2026-01-02T03:04:05.000000Z", "2026-01-02T03:14:05.000000Z")) == set()
}

test_a_loss_without_a_beginning_is_declined if {
	findings(lost(null, "2026-01-02T03:14:06.000000Z")) == set()
	findings(lost("yesterday", "2026-01-02T03:14:06.000000Z")) == set()
}

test_a_hostile_scope_is_quoted if {
	asked := samples.but(lost("2026-01-02T02:04:05.000000Z", null), {"scope": "bad\n{{ 7*6 }}"})
	messages(asked) == {"The sensor fanotify saw nothing of \"bad\\n{{ 7*6 }}\" for 3600 seconds; 600 are allowed."}
}

test_no_input_finds_nothing if {
	findings({}) == set()
}

test_other_events_are_declined if {
	long := lost("2026-01-02T02:04:05.000000Z", null)
	findings(samples.about("sensor.found", long.event.data)) == set()
}
