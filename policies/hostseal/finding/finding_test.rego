package hostseal.finding_test

import data.hostseal.finding

chain(path) := [
	{"path": array.concat(path, ["findings"]), "annotations": {}},
	{"path": path, "annotations": {"custom": {"severity": "low", "controls": ["NIST AC-17"]}}},
]

test_a_finding_is_named_after_its_rule if {
	finding.from_rule(chain(["hostseal", "rules", "some_rule"]), "It happened.") == {
		"rule": "some_rule",
		"severity": "low",
		"message": "It happened.",
		"controls": ["NIST AC-17"],
	}
}

test_only_rules_make_findings if not finding.from_rule(chain(["hostseal", "other", "thing"]), "It happened.")
