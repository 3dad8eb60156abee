package hostseal.rules.left_behind_test

import data.hostseal.rules.left_behind
import data.hostseal.samples_test as samples

asks(asked, site) := result if {
	result := left_behind.asks with input as asked with data.hostseal.site as site
}

findings(asked) := result if {
	result := left_behind.findings with input as asked with data.hostseal.site as samples.site
}

test_what_a_person_leaves_running_flags_the_host if {
	asks(samples.left_behind(samples.alice), samples.site) == {"flag"}
	findings(samples.left_behind(samples.alice)) == {{
		"rule": "left_behind",
		"severity": "high",
		"message": "alice (key SHA256:alice) from 192.0.2.7 left 1 process (/usr/bin/tmux) running.",
		"controls": ["NIST AC-12", "NIST CM-7", "PCI 10.2", "CIS 13.2", "SOC2 CC7.2"],
	}}
}

test_the_sites_data_may_let_it_pass if {
	asks(samples.left_behind(samples.alice), samples.site_with({"left_behind": "record"})) == set()
	asks(samples.left_behind(samples.alice), object.remove(samples.site, ["left_behind"])) == set()
}

test_what_automation_leaves_is_on_record_only if {
	asks(samples.left_behind(samples.deploy), samples.site) == set()
	count(findings(samples.left_behind(samples.deploy))) == 1
}

test_another_event_is_declined if {
	findings(samples.channel(samples.alice, "shell", "pts/0")) == set()
	asks(samples.channel(samples.alice, "shell", "pts/0"), samples.site) == set()
}

test_no_input_asks_nothing if {
	asks({}, samples.site) == set()
	findings({}) == set()
}
