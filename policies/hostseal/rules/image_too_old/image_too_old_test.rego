package hostseal.rules.image_too_old_test

import data.hostseal.rules.image_too_old
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := image_too_old.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

built(when) := samples.but(samples.heartbeat, {"image": {"built": when}})

old := built("2025-11-30T03:04:05.000000Z")

test_an_old_image_is_found if {
	findings(old) == {{
		"rule": "image_too_old",
		"severity": "medium",
		"message": "The image sha256:aa is 33 days old; 30 are allowed.",
		"controls": ["NIST SI-2", "NIST CM-2", "PCI 6.3", "CIS 7.3", "SOC2 CC7.1"],
	}}
}

test_an_image_is_young_to_the_last_second if {
	findings(built("2025-12-03T03:04:05.000000Z")) == set()
	count(findings(built("2025-12-03T03:04:04.000000Z"))) == 1
}

test_any_age_will_do_where_the_site_says_none if on_site(old, {"image_age": {"max_days": null}}) == set()

test_an_image_of_no_known_time_is_declined if {
	findings(built(null)) == set()
	findings(built("soon")) == set()
	findings(json.remove(old, ["event/data/image"])) == set()
}

test_a_hostile_image_is_quoted if {
	messages(samples.but(old, {"image": {"id": "bad\n{{ 7*6 }}"}})) == {
		"The image \"bad\\n{{ 7*6 }}\" is 33 days old; 30 are allowed.",
	}
}

test_no_input_finds_nothing if {
	findings({}) == set()
}

test_other_events_are_declined if findings(samples.about("agent.started", old.event.data)) == set()
