package hostseal.rules.authorized_keys_changed_test

import data.hostseal.rules.authorized_keys_changed
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := authorized_keys_changed.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

path := "/home/alice/.ssh/authorized_keys"

keys(writer) := samples.changed_but(writer, {"path": path, "seal": "own", "lays": "authorized_keys"})

test_keys_that_a_program_changes_are_found if {
	findings(keys(samples.by_program)) == {{
		"rule": "authorized_keys_changed",
		"severity": "high",
		"message": sprintf("The program /usr/bin/dpkg (uid 0) changed who may log in by key: %s.", [path]),
		"controls": ["NIST AC-2", "NIST IA-5", "PCI 8.2", "PCI 10.2", "CIS 5.1", "SOC2 CC6.2"],
	}}
}

test_keys_in_a_place_of_sshds_settings_are_found if {
	elsewhere := samples.changed_but(samples.by_program, {"path": "/srv/keys", "lays": "authorized_keys"})
	count(findings(elsewhere)) == 1
}

test_a_scan_finds_it_too if {
	messages(samples.found("mode", [path, "/etc/hosts"])) == {sprintf(
		"Somebody unseen changed who may log in by key: %s.",
		[path],
	)}
}

test_other_paths_are_declined if {
	findings(samples.changed_but(samples.by_program, {"path": "/etc/cron.d/x", "lays": "cron"})) == set()
	findings(samples.found("mode", ["/etc/hosts"])) == set()
}

test_what_a_persons_session_laid_is_another_rules if findings(keys(samples.by_session(samples.alice))) == set()

test_automation_may if findings(keys(samples.by_session(samples.deploy))) == set()

test_a_hostile_path_is_quoted if {
	asked := samples.changed_but(samples.by_program, {"path": "/a\n{{ 7*6 }}", "lays": "authorized_keys"})
	some message in messages(asked)
	endswith(message, `key: "/a\n{{ 7*6 }}".`)
}

test_no_input_finds_nothing if {
	findings({}) == set()
}
