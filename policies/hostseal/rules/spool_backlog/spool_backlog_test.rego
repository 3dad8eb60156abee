package hostseal.rules.spool_backlog_test

import data.hostseal.rules.spool_backlog
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := spool_backlog.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

spool(changes) := samples.but(samples.heartbeat, {"spool": changes})

test_too_many_events_are_found if {
	findings(spool({"pending": 101})) == {{
		"rule": "spool_backlog",
		"severity": "medium",
		"message": "101 events wait to be decided; 100 are allowed.",
		"controls": ["NIST AU-5", "NIST SI-4", "PCI 10.7", "CIS 8.9", "SOC2 CC7.2"],
	}}
}

test_an_event_that_waits_too_long_is_found if {
	messages(spool({"oldest_seconds": 61.5})) == {"An event has waited 61 seconds to be decided; 60 are allowed."}
}

test_what_was_given_up_is_found if {
	messages(spool({"dead": 2})) == {"2 playbook runs were given up; hostseal status names them."}
}

test_a_spool_within_its_bounds_is_declined if {
	findings(samples.heartbeat) == set()
	findings(spool({"pending": 100, "oldest_seconds": 60.9})) == set()
	findings(spool({"pending": 0, "oldest_seconds": null})) == set()
}

test_what_is_no_number_is_no_text_either if {
	findings(spool({"pending": "bad\n{{ 7*6 }}", "oldest_seconds": "bad\n{{ 7*6 }}", "dead": "bad\n{{ 7*6 }}"})) == set()
}

test_missing_numbers_are_declined if findings(json.remove(samples.heartbeat, ["event/data/spool"])) == set()

test_no_input_finds_nothing if {
	findings({}) == set()
}

test_other_events_are_declined if {
	findings(samples.about("agent.started", spool({"pending": 101}).event.data)) == set()
}
