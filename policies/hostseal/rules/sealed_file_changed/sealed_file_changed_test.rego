package hostseal.rules.sealed_file_changed_test

import data.hostseal.rules.sealed_file_changed
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := sealed_file_changed.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := sealed_file_changed.findings with input as asked with data.hostseal.site as samples.site
}

messages(asked) := {finding.message | some finding in findings(asked)}

by_alice := samples.changed(samples.by_session(samples.alice), ["/etc/hosts"])

by_deploy := samples.changed(samples.by_session(samples.deploy), ["/etc/hosts"])

declared := [{"path": "/etc/ssh/banner", "raw": null, "what": ["created"], "sha256": null, "expected": true}]

by_playbook := samples.but(samples.changed(samples.by_action, []), {"paths": declared, "count": 1})

test_a_persons_edit_flags_the_host if {
	asks(by_alice) == {"flag"}
	findings(by_alice) == {{
		"rule": "sealed_file_changed",
		"severity": "high",
		"message": "alice (key SHA256:alice) from 192.0.2.7, by /usr/bin/vim, changed 1 sealed file: /etc/hosts.",
		"controls": ["NIST CM-5", "NIST SI-7", "PCI 11.5", "CIS 4.1", "CIS 13.2", "SOC2 CC7.1"],
	}}
}

test_a_program_without_a_session_flags_the_host if {
	asks(samples.changed(samples.by_program, ["/etc/hosts"])) == {"flag"}
}

test_an_unknown_writer_flags_the_host if {
	asks(samples.but(by_alice, {"writer": {"kind": "unknown", "session": null}})) == {"flag"}
}

test_the_hosts_own_playbook_is_exempt if {
	asks(by_playbook) == set()
	findings(by_playbook) == set()
}

test_a_playbook_is_exempt_only_for_what_it_declared if {
	asks(samples.changed(samples.by_action, ["/etc/hosts"])) == {"flag"}
	more := array.concat(declared, [{"path": "/etc/hosts", "expected": false}])
	asks(samples.but(by_playbook, {"paths": more})) == {"flag"}
}

test_a_list_cut_short_proves_nothing if asks(samples.but(by_playbook, {"truncated": true})) == {"flag"}

test_an_empty_list_proves_nothing if asks(samples.but(by_playbook, {"paths": []})) == {"flag"}

test_automation_is_exempt_where_its_changes_are_recorded if {
	asks(by_deploy) == set()
	asks(samples.but(by_deploy, {"confidence": "inferred"})) == set()
}

test_automation_is_not_exempt_where_its_changes_flag if {
	site := samples.site_with({"automation_changes": "flag"})
	sealed_file_changed.asks == {"flag"} with input as by_deploy with data.hostseal.site as site
}

test_by_default_neither_automation_nor_an_upgrade_flags if {
	site := object.union(data.hostseal.site, {"automation": samples.site.automation})
	sealed_file_changed.asks == set() with input as by_deploy with data.hostseal.site as site
	upgraded := samples.changed(samples.by_upgrade, ["/usr/bin/week"])
	sealed_file_changed.asks == set() with input as upgraded with data.hostseal.site as site
}

test_a_mere_guess_exempts_nobody if asks(samples.but(by_deploy, {"confidence": "unknown"})) == {"flag"}

test_what_is_as_the_seal_says_or_the_hosts_own_or_by_design_does_not_count if {
	every seal in ["touched", "own", "by_design"] {
		asks(samples.changed_but(samples.by_program, {"seal": seal})) == set()
		findings(samples.changed_but(samples.by_session(samples.alice), {"seal": seal})) == set()
	}
	every seal in ["broken", "unsealed", "of a later version"] {
		asks(samples.changed_but(samples.by_program, {"seal": seal})) == {"flag"}
	}
}

test_only_what_counts_is_named if {
	mixed := [
		object.union(samples.changed_path("/etc/adjtime"), {"seal": "by_design"}),
		samples.changed_path("/etc/passwd"),
	]
	messages(samples.but(by_alice, {"paths": mixed, "count": 7})) == {concat("", [
		"alice (key SHA256:alice) from 192.0.2.7, by /usr/bin/vim, changed 1 sealed file: /etc/passwd.",
	])}
}

test_paths_that_are_only_counted_may_be_anything if {
	touched := samples.changed_but(samples.by_program, {"seal": "touched"})
	messages(samples.but(touched, {"truncated": true, "count": 300})) == {concat("", [
		"The program /usr/bin/dpkg (uid 0) changed 300 sealed files, ",
		"too many to say of each how it differs.",
	])}
}

test_the_systems_own_upgrade_is_exempt_where_upgrades_are_recorded if {
	upgraded := samples.changed(samples.by_upgrade, ["/usr/bin/week"])
	asks(upgraded) == set()
	findings(upgraded) == set()
	asks(samples.but(upgraded, {"confidence": "inferred", "truncated": true})) == set()
	asks(samples.but(upgraded, {"confidence": "unknown"})) == {"flag"}
	asks(samples.but(upgraded, {"writer": {"role": null}})) == {"flag"}
	asks(samples.but(upgraded, {"writer": {"unit": "cron.service"}})) == {"flag"}
	asks(samples.but(upgraded, {"writer": {"kind": "unknown"}})) == {"flag"}
}

test_an_upgrade_flags_where_hosts_are_never_upgraded if {
	upgraded := samples.changed(samples.by_upgrade, ["/usr/bin/week"])
	site := samples.site_with({"package_upgrades": "flag"})
	sealed_file_changed.asks == {"flag"} with input as upgraded with data.hostseal.site as site
}

test_what_a_session_had_laid_is_no_upgrade_of_the_systems_own if {
	laid := {"kind": "unit", "path": "/etc/systemd/system/x.service", "session": samples.deploy}
	upgraded := samples.changed(object.union(samples.by_upgrade, {"via": laid}), ["/usr/bin/week"])
	asks(upgraded) == {"flag"}
}

test_a_persons_package_manager_is_that_persons_tool if {
	by_alice_apt := object.union(samples.by_session(samples.alice), {"role": "package_manager"})
	asks(samples.changed(by_alice_apt, ["/usr/bin/week"])) == {"flag"}
}

test_a_change_is_laid_to_the_session_that_laid_its_program if {
	asks(samples.changed(samples.by_laid(samples.alice), ["/etc/hosts"])) == {"flag"}
	messages(samples.changed(samples.by_laid(samples.alice), ["/etc/hosts"])) == {concat("", [
		"The program /usr/bin/dash (uid 0), started by /etc/cron.d/x that ",
		"alice (key SHA256:alice) from 192.0.2.7 laid, changed 1 sealed file: /etc/hosts.",
	])}
	asks(samples.changed(samples.by_laid(samples.deploy), ["/etc/hosts"])) == {"flag"}
}

test_a_unit_is_named if {
	by_unit := object.union(samples.by_program, {"unit": "evil.service"})
	messages(samples.changed(by_unit, ["/etc/hosts"])) == {concat("", [
		"The program /usr/bin/dpkg (uid 0) of evil.service changed 1 sealed file: /etc/hosts.",
	])}
}

test_other_events_are_declined if asks(samples.lost) == set()

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}

severities(asked) := {finding.severity | some finding in findings(asked)}

test_the_severity_is_that_of_the_path_that_weighs_most if {
	severities(samples.changed(samples.by_program, ["/etc/motd", "/etc/shadow"])) == {"critical"}
	severities(samples.changed(samples.by_program, ["/etc/motd"])) == {"low"}
	severities(samples.changed(samples.by_program, ["/etc/motd", "/etc/hosts"])) == {"high"}
}

test_paths_that_are_only_counted_weigh_what_any_does if {
	more := {"truncated": true, "count": 900}
	severities(samples.but(samples.changed(samples.by_program, ["/etc/motd"]), more)) == {"high"}
}

test_a_mutable_host_is_not_flagged_where_its_drift_is_debt if {
	site := samples.site_with({"mutable_debt": {"only": true}})
	asked := samples.changed(samples.by_program, ["/etc/hosts"])
	sealed_file_changed.asks == {"flag"} with input as asked with data.hostseal.site as site
	sealed_file_changed.asks == set() with input as samples.on_host(asked, "pet-1") with data.hostseal.site as site
	asks(samples.on_host(asked, "pet-1")) == {"flag"}
}
