package hostseal.rules.agent_tampered_test

import data.hostseal.rules.agent_tampered
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := agent_tampered.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

asks(asked) := result if {
	result := agent_tampered.asks with input as asked with data.hostseal.site as samples.site
}

by_program(path) := samples.changed(samples.by_program, [path])

test_such_a_path_is_found if {
	findings(by_program("/opt/hostseal/bin/hostseal")) == {{
		"rule": "agent_tampered",
		"severity": "critical",
		"message": "The program /usr/bin/dpkg (uid 0) changed Hostseal itself: /opt/hostseal/bin/hostseal.",
		"controls": ["NIST AU-9", "NIST SI-7", "NIST CM-5", "PCI 10.7", "PCI 11.5", "CIS 13.2", "SOC2 CC7.2"],
	}}
}

test_a_scan_finds_it_too if {
	messages(samples.found("content", ["/opt/hostseal/bin/hostseal", "/etc/hosts"])) == {
		"Somebody unseen changed Hostseal itself: /opt/hostseal/bin/hostseal.",
	}
}

test_other_paths_are_declined if {
	findings(by_program("/etc/hosts")) == set()
	findings(samples.found("content", ["/etc/hosts"])) == set()
}

test_what_is_as_the_seal_says_or_expected_is_declined if {
	every asked in [
		samples.changed(samples.by_upgrade, ["/opt/hostseal/bin/hostseal"]),
		samples.changed(samples.by_session(samples.deploy), ["/opt/hostseal/bin/hostseal"]),
		samples.changed_but(samples.by_program, {"path": "/opt/hostseal/bin/hostseal", "seal": "touched"}),
		samples.changed_but(samples.by_action, {"path": "/opt/hostseal/bin/hostseal", "expected": true}),
	] {
		findings(asked) == set()
	}
}

test_what_a_playbook_did_not_declare_is_found if {
	count(findings(samples.changed(samples.by_action, ["/opt/hostseal/bin/hostseal"]))) == 1
}

test_a_hostile_path_is_quoted if {
	listed := {"agent_tampered": {"paths": {"/**": true}}}
	{finding.message | some finding in on_site(by_program("/a\n{{ 7*6 }}"), listed)} == {concat("", [
		"The program /usr/bin/dpkg (uid 0) changed Hostseal itself: ",
		`"/a\n{{ 7*6 }}".`,
	])}
}

test_tampering_flags_the_host if {
	asks(by_program("/opt/hostseal/bin/hostseal")) == {"flag"}
	asks(by_program("/etc/hosts")) == set()
}

test_tampering_is_no_debt_on_a_mutable_host_either if {
	site := samples.site_with({"mutable_debt": {"only": true}})
	asked := samples.on_host(by_program("/opt/hostseal/bin/hostseal"), "pet-1")
	agent_tampered.asks == {"flag"} with input as asked with data.hostseal.site as site
}

test_no_input_finds_nothing if {
	findings({}) == set()
	asks({}) == set()
}
