package hostseal.rules.image_revoked_test

import data.hostseal.rules.image_revoked
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := image_revoked.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

asks(asked) := result if {
	result := image_revoked.asks with input as asked with data.hostseal.site as samples.site
}

running(id) := samples.but(samples.heartbeat, {"image": {"id": id}})

test_a_revoked_image_flags_the_host if {
	asks(running("sha256:bad")) == {"flag"}
	findings(running("sha256:bad")) == {{
		"rule": "image_revoked",
		"severity": "high",
		"message": "The image sha256:bad was revoked: CVE-2026-1 is in it.",
		"controls": ["NIST SI-2", "NIST CM-2", "NIST CM-14", "PCI 6.3", "CIS 7.7", "SOC2 CC7.1"],
	}}
}

test_other_images_are_declined if {
	asks(samples.heartbeat) == set()
	findings(running(null)) == set()
}

test_other_events_are_declined if findings(samples.about("agent.started", running("sha256:bad").event.data)) == set()

test_a_hostile_reason_is_quoted if {
	revoked := {"images_revoked": {"sha256:bad": "bad\n{{ 7*6 }}"}}
	{finding.message | some finding in on_site(running("sha256:bad"), revoked)} == {
		"The image sha256:bad was revoked: \"bad\\n{{ 7*6 }}\".",
	}
}

test_no_input_finds_nothing if {
	findings({}) == set()
	asks({}) == set()
}
