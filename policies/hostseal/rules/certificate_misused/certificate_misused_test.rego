package hostseal.rules.certificate_misused_test

import data.hostseal.rules.certificate_misused
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := certificate_misused.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := certificate_misused.findings with input as asked with data.hostseal.site as samples.site
}

test_it_is_a_finding if {
	findings(samples.refused("revoked")) == {{
		"rule": "certificate_misused",
		"severity": "high",
		"message": `Certificate "INC-1 by carol" (serial 7) was refused to alice from 192.0.2.7: it was taken back.`,
		"controls": ["NIST AC-7", "NIST IA-5", "PCI 10.2", "CIS 8.5", "CIS 6.2", "SOC2 CC6.1"],
	}}
}

test_the_host_is_flagged_where_the_site_says_so if {
	asks(samples.refused("revoked")) == {"flag"}
	asks(samples.refused("foreign")) == set()
	count(findings(samples.refused("foreign"))) == 1
}

test_what_the_other_rule_is_for_is_declined if {
	asks(samples.refused("expired")) == set()
	findings(samples.refused("expired")) == set()
}

test_other_events_are_declined if {
	asks(samples.opened(samples.alice)) == set()
	findings(samples.opened(samples.alice)) == set()
}

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}
