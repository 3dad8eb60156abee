package hostseal.rules.seal_broken_test

import data.hostseal.rules.seal_broken
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := seal_broken.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := seal_broken.findings with input as asked with data.hostseal.site as samples.site
}

messages(asked) := {finding.message | some finding in findings(asked)}

test_a_difference_flags_the_host_and_accuses_nobody if {
	asks(samples.broken) == {"flag"}
	findings(samples.broken) == {{
		"rule": "seal_broken",
		"severity": "high",
		"message": "The scan at the agent's start found 1 difference: /etc/issue (content).",
		"controls": ["NIST CM-5", "NIST SI-7", "PCI 11.5", "CIS 4.1", "CIS 13.2", "SOC2 CC7.1"],
	}}
}

test_what_is_not_all_is_said if {
	four := [{"path": path, "change": "added", "sealed": "", "found": "file"} |
		some path in ["/etc/a", "/etc/b c", "/etc/c", "/etc/d"]
	]
	changes := {"differences": four, "count": 9, "complete": false, "cause": "of a later version"}
	messages(samples.but(samples.broken, changes)) == {concat("", [
		`A scan found 9 differences: /etc/a (added), "/etc/b c" (added), /etc/c (added) and 6 more; `,
		"it did not finish.",
	])}
}

test_other_events_are_declined if {
	asks(samples.lost) == set()
	findings(samples.lost) == set()
}

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}

test_the_severity_is_that_of_the_path_that_weighs_most if {
	some weighty in findings(samples.found("content", ["/etc/motd", "/etc/shadow"]))
	weighty.severity == "critical"
	some light in findings(samples.found("content", ["/etc/motd"]))
	light.severity == "low"
	some more in findings(samples.but(samples.found("content", ["/etc/motd"]), {"truncated": true}))
	more.severity == "high"
}

test_a_mutable_host_is_not_flagged_where_its_drift_is_debt if {
	site := samples.site_with({"mutable_debt": {"only": true}})
	asked := samples.on_host(samples.broken, "pet-1")
	seal_broken.asks == set() with input as asked with data.hostseal.site as site
	seal_broken.asks == {"flag"} with input as samples.broken with data.hostseal.site as site
}
