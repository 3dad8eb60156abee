package hostseal.rules.sealed_file_changed_test

import data.hostseal.rules.sealed_file_changed
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := sealed_file_changed.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := sealed_file_changed.findings with input as asked with data.hostseal.site as samples.site
}

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
		"controls": ["NIST CM-5", "NIST SI-7", "PCI 11.5"],
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

test_a_mere_guess_exempts_nobody if asks(samples.but(by_deploy, {"confidence": "unknown"})) == {"flag"}

test_other_events_are_declined if asks(samples.lost) == set()

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}
