package hostseal.rules.forwarding_test

import data.hostseal.rules.forwarding
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := forwarding.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

forward := samples.channel(samples.alice, "forward", null)

test_a_persons_forwarding_is_found if {
	findings(forward) == {{
		"rule": "forwarding",
		"severity": "medium",
		"message": concat(" ", [
			"alice (key SHA256:alice) from 192.0.2.7",
			"held a connection without a channel, as for forwarding.",
		]),
		"controls": ["NIST AC-17", "NIST SC-7", "PCI 1.4", "CIS 13.4", "SOC2 CC6.6"],
	}}
}

test_automation_and_other_kinds_are_declined if {
	findings(samples.channel(samples.deploy, "forward", null)) == set()
	findings(samples.channel(samples.alice, "sftp", null)) == set()
	findings(json.remove(forward, ["event/data/kind"])) == set()
}

test_a_hostile_name_is_quoted if {
	messages(samples.but(forward, {"user": "bad\n{{ 7*6 }}"})) == {concat(" ", [
		"\"bad\\n{{ 7*6 }}\" (no key on record) from 192.0.2.7",
		"held a connection without a channel, as for forwarding.",
	])}
}

test_no_input_finds_nothing if {
	findings({}) == set()
}

test_other_events_are_declined if findings(samples.about("session.closed", forward.event.data)) == set()
