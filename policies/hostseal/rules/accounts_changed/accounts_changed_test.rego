package hostseal.rules.accounts_changed_test

import data.hostseal.rules.accounts_changed
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := accounts_changed.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

by_program(path) := samples.changed(samples.by_program, [path])

test_such_a_path_is_found if {
	findings(by_program("/etc/passwd")) == {{
		"rule": "accounts_changed",
		"severity": "high",
		"message": "The program /usr/bin/dpkg (uid 0) changed the host's accounts: /etc/passwd.",
		"controls": [
			"NIST AC-2",
			"NIST AC-6",
			"PCI 8.2",
			"PCI 10.2",
			"CIS 5.1",
			"CIS 5.4",
			"SOC2 CC6.2",
			"SOC2 CC6.3",
		],
	}}
}

test_a_scan_finds_it_too if {
	messages(samples.found("content", ["/etc/passwd", "/etc/group"])) == {
		"Somebody unseen changed the host's accounts: /etc/passwd.",
	}
}

test_other_paths_are_declined if {
	findings(by_program("/etc/group")) == set()
	findings(samples.found("content", ["/etc/group"])) == set()
}

test_what_is_as_the_seal_says_or_expected_is_declined if {
	every asked in [
		samples.changed(samples.by_upgrade, ["/etc/passwd"]),
		samples.changed(samples.by_session(samples.deploy), ["/etc/passwd"]),
		samples.changed_but(samples.by_program, {"path": "/etc/passwd", "seal": "touched"}),
		samples.changed_but(samples.by_action, {"path": "/etc/passwd", "expected": true}),
	] {
		findings(asked) == set()
	}
}

test_what_a_playbook_did_not_declare_is_found if {
	count(findings(samples.changed(samples.by_action, ["/etc/passwd"]))) == 1
}

test_a_hostile_path_is_quoted if {
	listed := {"accounts_changed": {"paths": {"/**": true}}}
	{finding.message | some finding in on_site(by_program("/a\n{{ 7*6 }}"), listed)} == {concat("", [
		"The program /usr/bin/dpkg (uid 0) changed the host's accounts: ",
		`"/a\n{{ 7*6 }}".`,
	])}
}

test_a_persons_change_is_found_as_well if {
	count(findings(samples.changed(samples.by_session(samples.alice), ["/etc/passwd"]))) == 1
}

test_no_input_finds_nothing if {
	findings({}) == set()
}
