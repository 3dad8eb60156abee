package hostseal.rules.login_without_break_glass_test

import data.hostseal.rules.login_without_break_glass
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := login_without_break_glass.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

opened := samples.opened(samples.alice)

certified(authority) := samples.opened(object.union(samples.alice, {"key": {"certificate": {
	"key_id": "INC-1",
	"ca_fingerprint": authority,
}}}))

test_a_person_without_a_certificate_is_found if {
	findings(opened) == {{
		"rule": "login_without_break_glass",
		"severity": "high",
		"message": "alice (key SHA256:alice) from 192.0.2.7 logged in without break-glass, and web-1 is immutable.",
		"controls": ["NIST AC-2", "NIST AC-17", "PCI 7.2", "CIS 6.8", "SOC2 CC6.3"],
	}}
}

test_only_break_glass_is_break_glass if {
	findings(certified("SHA256:glass")) == set()
	count(findings(certified("SHA256:other"))) == 1
}

test_automation_and_mutable_hosts_are_declined if {
	findings(samples.opened(samples.deploy)) == set()
	findings(samples.on_host(opened, "pet-1")) == set()
}

test_other_events_are_declined if findings(samples.channel(samples.alice, "shell", "pts/0")) == set()

test_a_hostile_name_is_quoted if {
	messages(samples.opened(object.union(samples.alice, {"user": "bad\n{{ 7*6 }}"}))) == {concat(" ", [
		"\"bad\\n{{ 7*6 }}\" (key SHA256:alice) from 192.0.2.7",
		"logged in without break-glass, and web-1 is immutable.",
	])}
}

test_no_input_finds_nothing if {
	findings({}) == set()
}
