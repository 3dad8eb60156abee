package hostseal.rules.boot_changed_test

import data.hostseal.rules.boot_changed
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := boot_changed.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

by_program(path) := samples.changed(samples.by_program, [path])

test_such_a_path_is_found if {
	findings(by_program("/boot/vmlinuz-6.1")) == {{
		"rule": "boot_changed",
		"severity": "critical",
		"message": "The program /usr/bin/dpkg (uid 0) changed what the host boots: /boot/vmlinuz-6.1.",
		"controls": [
			"NIST CM-5",
			"NIST CM-14",
			"NIST SI-7",
			"PCI 2.2",
			"PCI 11.5",
			"CIS 4.1",
			"CIS 13.2",
			"SOC2 CC6.8",
			"SOC2 CC7.1",
		],
	}}
}

test_a_scan_finds_it_too if {
	messages(samples.found("content", ["/boot/vmlinuz-6.1", "/etc/hosts"])) == {
		"Somebody unseen changed what the host boots: /boot/vmlinuz-6.1.",
	}
}

test_other_paths_are_declined if {
	findings(by_program("/etc/hosts")) == set()
	findings(samples.found("content", ["/etc/hosts"])) == set()
}

test_what_is_as_the_seal_says_or_expected_is_declined if {
	every asked in [
		samples.changed(samples.by_upgrade, ["/boot/vmlinuz-6.1"]),
		samples.changed(samples.by_session(samples.deploy), ["/boot/vmlinuz-6.1"]),
		samples.changed_but(samples.by_program, {"path": "/boot/vmlinuz-6.1", "seal": "touched"}),
		samples.changed_but(samples.by_action, {"path": "/boot/vmlinuz-6.1", "expected": true}),
	] {
		findings(asked) == set()
	}
}

test_what_a_playbook_did_not_declare_is_found if {
	count(findings(samples.changed(samples.by_action, ["/boot/vmlinuz-6.1"]))) == 1
}

test_a_hostile_path_is_quoted if {
	listed := {"boot_changed": {"paths": {"/**": true}}}
	{finding.message | some finding in on_site(by_program("/a\n{{ 7*6 }}"), listed)} == {concat("", [
		"The program /usr/bin/dpkg (uid 0) changed what the host boots: ",
		`"/a\n{{ 7*6 }}".`,
	])}
}

test_no_input_finds_nothing if {
	findings({}) == set()
}
