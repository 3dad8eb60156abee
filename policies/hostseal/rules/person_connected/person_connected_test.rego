package hostseal.rules.person_connected_test

import data.hostseal.rules.person_connected
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := person_connected.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := person_connected.findings with input as asked with data.hostseal.site as samples.site
}

test_a_person_makes_the_host_suspect if {
	asks(samples.opened(samples.alice)) == {"suspect"}
	findings(samples.opened(samples.alice)) == {{
		"rule": "person_connected",
		"severity": "low",
		"message": "alice (key SHA256:alice) from 192.0.2.7 opened an SSH connection.",
		"controls": ["NIST AC-17", "PCI 10.2", "CIS 8.5", "SOC2 CC6.1"],
	}}
}

test_a_second_connection_keeps_it_suspect if {
	asks(samples.standing(samples.opened(samples.alice), "suspect")) == {"suspect"}
}

test_a_flag_is_not_made_less if {
	asked := samples.standing(samples.opened(samples.alice), "flagged")
	asks(asked) == set()
	count(findings(asked)) == 1
}

test_automation_is_exempt if {
	asks(samples.opened(samples.deploy)) == set()
	findings(samples.opened(samples.deploy)) == set()
}

test_other_events_are_declined if {
	asks(samples.about("session.closed", samples.alice)) == set()
	findings(samples.channel(samples.alice, "shell", "pts/0")) == set()
}

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}
