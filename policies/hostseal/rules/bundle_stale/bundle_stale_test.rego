package hostseal.rules.bundle_stale_test

import data.hostseal.rules.bundle_stale
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := bundle_stale.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

with_bundle(asked, bundle) := result if {
	result := bundle_stale.findings with input as asked with data.hostseal.bundle as bundle
}

started := samples.about("agent.started", {})

old := {"issued": "2026-01-02T02:04:05Z", "max_age_seconds": 600}

test_old_policies_are_found if {
	with_bundle(started, old) == {{
		"rule": "bundle_stale",
		"severity": "high",
		"message": "The policies in force were made 3600 seconds ago; 600 are allowed.",
		"controls": ["NIST CM-6", "NIST SI-4", "PCI 10.7", "CIS 4.1", "SOC2 CC7.1"],
	}}
	count(with_bundle(samples.heartbeat, old)) == 1
}

test_policies_are_good_to_the_last_second if {
	with_bundle(started, object.union(old, {"max_age_seconds": 3600})) == set()
	count(with_bundle(started, object.union(old, {"max_age_seconds": 3599}))) == 1
}

test_a_bundle_without_time_or_age_is_declined if {
	with_bundle(started, {"issued": null, "max_age_seconds": 600}) == set()
	with_bundle(started, {"issued": "2026-01-02T02:04:05Z", "max_age_seconds": null}) == set()
	with_bundle(started, {}) == set()
}

test_other_events_are_declined if with_bundle(samples.lost, old) == set()

test_a_hostile_time_is_no_time if {
	with_bundle(object.union(started, {"event": {"time": "bad\n{{ 7*6 }}"}}), old) == set()
	messages(started) == set()
}

test_no_input_finds_nothing if {
	findings({}) == set()
}
