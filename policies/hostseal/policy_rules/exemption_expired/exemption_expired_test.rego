package hostseal.policy_rules.exemption_expired_test

import data.hostseal.policy_rules.exemption_expired
import data.hostseal.samples_test as samples

shell := samples.channel(samples.alice, "shell", "pts/0")

findings(asked, rule, changes) := result if {
	ended := {"id": "EX-1", "owner": "carol", "reason": "a migration", "expires": "2026-01-02T00:00:00Z"}
	site := samples.site_with(object.union({"exemptions": {rule: {"host:web-1": [ended]}}}, changes))
	result := exemption_expired.findings with input as asked with data.hostseal.site as site
}

test_it_is_found_where_its_rule_finds_something if {
	findings(shell, "interactive_session", {}) == {{
		"rule": "exemption_expired",
		"severity": "medium",
		"message": concat("", [
			"Exemption EX-1 from the rule interactive_session ended at 2026-01-02T00:00:00Z; ",
			"carol owns it: a migration.",
		]),
		"controls": ["NIST CA-5", "NIST CM-3", "PCI 12.3", "CIS 4.1", "SOC2 CC3.2"],
	}}
}

test_it_is_declined_where_its_rule_finds_nothing if findings(shell, "seal_broken", {}) == set()

test_it_is_declined_where_its_rule_is_off if {
	findings(shell, "interactive_session", {"rules": {"interactive_session": {"enabled": false}}}) == set()
}

test_it_is_declined_on_another_host if {
	findings(samples.on_host(shell, "web-2"), "interactive_session", {}) == set()
}

test_no_input_finds_nothing if findings({}, "interactive_session", {}) == set()
