package hostseal.rules.unit_added_test

import data.hostseal.rules.unit_added
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := unit_added.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

by_program(path) := samples.changed(samples.by_program, [path])

test_such_a_path_is_found if {
	findings(by_program("/etc/cron.d/x")) == {{
		"rule": "unit_added",
		"severity": "medium",
		"message": "The program /usr/bin/dpkg (uid 0) changed what starts by itself: /etc/cron.d/x.",
		"controls": ["NIST CM-3", "NIST CM-7", "PCI 2.2", "PCI 11.5", "CIS 4.8", "CIS 2.7", "SOC2 CC7.1"],
	}}
}

test_a_scan_finds_it_too if {
	messages(samples.found("content", ["/etc/cron.d/x", "/etc/hosts"])) == {
		"Somebody unseen changed what starts by itself: /etc/cron.d/x.",
	}
}

test_other_paths_are_declined if {
	findings(by_program("/etc/hosts")) == set()
	findings(samples.found("content", ["/etc/hosts"])) == set()
}

test_what_is_as_the_seal_says_or_expected_is_declined if {
	every asked in [
		samples.changed(samples.by_upgrade, ["/etc/cron.d/x"]),
		samples.changed(samples.by_session(samples.deploy), ["/etc/cron.d/x"]),
		samples.changed_but(samples.by_program, {"path": "/etc/cron.d/x", "seal": "touched"}),
		samples.changed_but(samples.by_action, {"path": "/etc/cron.d/x", "expected": true}),
	] {
		findings(asked) == set()
	}
}

test_what_a_playbook_did_not_declare_is_found if {
	count(findings(samples.changed(samples.by_action, ["/etc/cron.d/x"]))) == 1
}

test_a_hostile_path_is_quoted if {
	listed := {"unit_added": {"paths": {"/**": true}}}
	{finding.message | some finding in on_site(by_program("/a\n{{ 7*6 }}"), listed)} == {concat("", [
		"The program /usr/bin/dpkg (uid 0) changed what starts by itself: ",
		`"/a\n{{ 7*6 }}".`,
	])}
}

test_what_lays_such_a_thing_is_found_wherever_it_is if {
	count(findings(samples.changed_but(samples.by_program, {"path": "/srv/x", "lays": "timer"}))) == 1
	findings(samples.changed_but(samples.by_program, {"path": "/srv/x", "lays": "shell_profile"})) == set()
}

test_what_a_persons_session_laid_is_another_rules if {
	by_alice := samples.by_session(samples.alice)
	findings(samples.changed_but(by_alice, {"path": "/etc/cron.d/x", "lays": "timer"})) == set()
}

test_no_input_finds_nothing if {
	findings({}) == set()
}
