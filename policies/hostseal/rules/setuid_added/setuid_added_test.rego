package hostseal.rules.setuid_added_test

import data.hostseal.rules.setuid_added
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := setuid_added.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

asks(asked) := result if {
	result := setuid_added.asks with input as asked with data.hostseal.site as samples.site
}

by_alice := samples.by_session(samples.alice)

gaining(gains) := samples.changed_but(by_alice, {"path": "/usr/bin/x", "gains": gains})

differing(change, sealed, found) := samples.but(samples.broken, {"differences": [{
	"path": "/usr/bin/x",
	"change": change,
	"sealed": sealed,
	"found": found,
}]})

unseen(gains) := {sprintf(
	"Somebody unseen made files give privileges that they did not give: /usr/bin/x (%s).",
	[gains],
)}

test_a_file_that_becomes_setuid_flags_the_host if {
	asks(gaining(["setuid"])) == {"flag"}
	findings(gaining(["setuid", "capability"])) == {{
		"rule": "setuid_added",
		"severity": "critical",
		"message": concat("", [
			"alice (key SHA256:alice) from 192.0.2.7, by /usr/bin/vim, made files give privileges ",
			"that they did not give: /usr/bin/x (setuid, capability).",
		]),
		"controls": ["NIST AC-6", "NIST CM-5", "NIST SI-7", "PCI 11.5", "CIS 5.4", "CIS 13.2", "SOC2 CC6.8"],
	}}
}

test_a_scan_reads_it_off_the_modes if {
	messages(differing("mode", "0755", "4755")) == unseen("setuid")
	messages(differing("mode", "0755", "6755")) == unseen("setgid, setuid")
	messages(differing("mode", "4755", "6755")) == unseen("setgid")
	messages(differing("added", "", "file 4755 0:0")) == unseen("setuid")
	messages(differing("unsafe", "its own", "file 2755 0:0 security.capability=01")) == unseen("capability, setgid")
	messages(differing("xattrs", "-", "security.capability=01 security.capability=02")) == unseen("capability")
	messages(differing("kind", "link", "file 4755 0:0")) == unseen("setuid")
	messages(differing("xattrs", "-", "security.capability=01 user.a=00")) == unseen("capability")
	messages(differing("xattrs", "security.capability=01", "security.capability=02")) == unseen("capability")
}

test_a_scans_other_differences_are_declined if {
	every one in [
		["mode", "4755", "0755"],
		["mode", "4755", "4777"],
		["mode", "0755", "1777"],
		["added", "", "file"],
		["added", "", "directory 2755 0:0"],
		["unsafe", "its own", "file 0666 0:0"],
		["xattrs", "security.capability=01", "-"],
		["xattrs", "security.capability=01", "security.capability=01 user.a=00"],
		["content", "4aa", "4bb"],
	] {
		findings(differing(one[0], one[1], one[2])) == set()
	}
}

test_two_differences_of_a_path_are_one_path if {
	both := [
		{"path": "/usr/bin/x", "change": "mode", "sealed": "0755", "found": "4755"},
		{"path": "/usr/bin/x", "change": "content", "sealed": "aa", "found": "bb"},
	]
	messages(samples.but(samples.broken, {"differences": both})) == unseen("setuid")
}

test_a_change_without_gain_or_of_an_older_agent_is_declined if {
	findings(gaining([])) == set()
	asks(samples.changed(by_alice, ["/usr/bin/x"])) == set()
}

test_a_package_upgrade_may if {
	asked := samples.changed_but(samples.by_upgrade, {"gains": ["setuid"]})
	asks(asked) == set()
	findings(asked) == set()
}

test_a_mutable_host_is_not_flagged_where_its_drift_is_debt if {
	site := samples.site_with({"mutable_debt": {"only": true}})
	asked := samples.on_host(gaining(["setuid"]), "pet-1")
	asks(asked) == {"flag"}
	setuid_added.asks == set() with input as asked with data.hostseal.site as site
	count(setuid_added.findings) == 1 with input as asked with data.hostseal.site as site
}

test_a_hostile_path_is_quoted if {
	asked := samples.changed_but(by_alice, {"path": "/a\n{{ 7*6 }}", "gains": ["set\nuid"]})
	some message in messages(asked)
	endswith(message, `: "/a\n{{ 7*6 }}" ("set\nuid").`)
}

test_no_input_finds_nothing if {
	findings({}) == set()
	asks({}) == set()
}
