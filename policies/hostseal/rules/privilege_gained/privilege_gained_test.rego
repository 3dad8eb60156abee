package hostseal.rules.privilege_gained_test

import data.hostseal.rules.privilege_gained
import data.hostseal.samples_test as samples

asks(asked, site) := result if {
	result := privilege_gained.asks with input as asked with data.hostseal.site as site
}

findings(asked) := result if {
	result := privilege_gained.findings with input as asked with data.hostseal.site as samples.site
}

test_it_is_on_record if {
	findings(samples.became_root(samples.alice)) == {{
		"rule": "privilege_gained",
		"severity": "medium",
		"message": "alice (key SHA256:alice) from 192.0.2.7 became root by /usr/bin/sudo.",
		"controls": ["NIST AC-6", "NIST AU-12", "PCI 10.2", "CIS 5.4", "SOC2 CC6.3"],
	}}
	asks(samples.became_root(samples.alice), samples.site) == set()
}

test_a_program_that_is_not_known_is_said_so if {
	some finding in findings(samples.but(samples.became_root(samples.alice), {"via": null}))
	finding.message == "alice (key SHA256:alice) from 192.0.2.7 became root by an unknown program."
}

test_the_sites_data_says_whether_it_flags if {
	site := samples.site_with({"privilege": "flag"})
	asks(samples.became_root(samples.alice), site) == {"flag"}
	asks(samples.became_root(samples.deploy), site) == set()
}

test_automation_is_exempt if findings(samples.became_root(samples.deploy)) == set()

test_another_event_is_declined if {
	findings(samples.channel(samples.alice, "shell", "pts/0")) == set()
	asks(samples.channel(samples.alice, "shell", "pts/0"), samples.site_with({"privilege": "flag"})) == set()
}

test_no_input_asks_nothing if {
	asks({}, samples.site) == set()
	findings({}) == set()
}
