package hostseal.tuning_test

import data.hostseal.samples_test as samples
import data.hostseal.tuning

site := samples.site_with({"rules": {
	"off": {"enabled": false},
	"graver": {"severity": "critical"},
	"milder": {"flags": false},
	"stricter": {"flags": true},
}})

names(site_data) := {
	"on": [rule | some rule in rules; tuning.on(rule) with data.hostseal.site as site_data],
	"may_flag": [rule | some rule in rules; tuning.may_flag(rule) with data.hostseal.site as site_data],
	"must_flag": [rule | some rule in rules; tuning.must_flag(rule) with data.hostseal.site as site_data],
}

rules := ["off", "graver", "milder", "stricter", "untouched"]

test_each_switch_is_one_rules if {
	names(site) == {
		"on": ["graver", "milder", "stricter", "untouched"],
		"may_flag": ["off", "graver", "stricter", "untouched"],
		"must_flag": ["stricter"],
	}
}

test_a_severity_replaces_the_rules_own if {
	found := {"rule": "graver", "severity": "low", "message": "It happened.", "controls": []}
	tuning.tuned(found) == object.union(found, {"severity": "critical"}) with data.hostseal.site as site
}

test_nothing_else_of_a_finding_is_tuned if {
	found := {"rule": "milder", "severity": "low", "message": "It happened.", "controls": []}
	tuning.tuned(found) == found with data.hostseal.site as site
	tuning.tuned(found) == found with data.hostseal.site as {}
}

test_data_without_switches_leaves_each_rule_as_it_is if {
	names({}) == {"on": rules, "may_flag": rules, "must_flag": []}
}
