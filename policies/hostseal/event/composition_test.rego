package hostseal.event_test

import data.hostseal.event
import data.hostseal.samples_test as samples

exempting(changes) := {"exemptions": {"interactive_session": {"host:web-1": [object.union(
	{"id": "EX-1", "owner": "carol", "reason": "a migration", "expires": "2026-01-03T00:00:00Z"},
	changes,
)]}}}

under(changes) := result if {
	result := event.decision with input as shell with data.hostseal.site as samples.site_with(changes)
}

test_an_exempted_finding_stays_and_asks_for_nothing if {
	decision := under(object.union(exempting({}), {"responses": {
		"rules": {"interactive_session": ["terminate_session"]},
		"severities": {"high": ["lockdown_closed"]},
	}}))
	object.remove(decision, ["host"]) == object.union(recorded, {"findings": [object.union(
		shell_findings[0],
		{"exemption": "EX-1"},
	)]})
}

test_an_expired_exemption_is_found_and_exempts_nothing if {
	decision := under(exempting({"expires": "2026-01-02T03:04:05Z"}))
	[finding.rule | some finding in decision.findings] == ["exemption_expired", "interactive_session"]
	decision.violations == [shell_message]
	decision.actions == ["flag"]
}

test_the_exemption_of_one_rule_leaves_the_others if {
	past := [{"rule": "interactive_session", "time": "2026-01-02T03:04:04.000000Z", "event": "e1"}]
	again := object.union(shell, {"standing": {"recent": past}})
	site := samples.site_with(object.union(
		{"repeated_sessions": {"count": 2, "within_seconds": 60}},
		{"exemptions": {"repeated_sessions": exempting({}).exemptions.interactive_session}},
	))
	decision := event.decision with input as again with data.hostseal.site as site
	decision.violations == [shell_message]
	{finding.rule: object.get(finding, "exemption", null) | some finding in decision.findings} == {
		"interactive_session": null,
		"repeated_sessions": "EX-1",
	}
}

test_a_rule_that_is_off_says_nothing if {
	object.remove(under({"rules": {"interactive_session": {"enabled": false}}}), ["host"]) == recorded
}

test_a_rule_that_may_not_flag_is_only_on_record if {
	decision := under({"rules": {"interactive_session": {"flags": false}}})
	object.remove(decision, ["host"]) == object.union(recorded, {"findings": shell_findings})
}

test_a_rule_flags_where_the_site_says_so if {
	connected := samples.opened(samples.alice)
	site := samples.site_with({"rules": {"person_connected": {"flags": true}}})
	decision := event.decision with input as connected with data.hostseal.site as site
	decision.actions == ["flag", "suspect"]
	decision.violations == ["alice (key SHA256:alice) from 192.0.2.7 opened an SSH connection."]
	decision.deadline_seconds == 600
}

test_a_tuned_severity_is_what_deadlines_and_responses_go_by if {
	decision := under({
		"hosts": {"web-1": {"mode": "enforce"}},
		"rules": {"interactive_session": {"severity": "critical"}},
		"deadlines": {"severities": {"critical": 60, "high": 30}, "groups": {}},
		"responses": {"rules": {}, "severities": {"critical": ["terminate_session"], "high": ["lockdown_closed"]}},
	})
	decision.deadline_seconds == 60
	decision.actions == ["flag", "terminate_session"]
	[finding.severity | some finding in decision.findings] == ["critical"]
}

test_the_shortest_deadline_counts if {
	groups := {"severities": {}, "groups": {"fronts": 120, "builders": 5}}
	under({"deadlines": groups}).deadline_seconds == 120
	under({"deadlines": object.union(groups, {"severities": {"high": 90, "low": 5}})}).deadline_seconds == 90
	under({"deadlines": {"severities": {"high": 6000}, "groups": {"fronts": 6000}}}).deadline_seconds == 600
}

test_only_what_flags_sets_a_deadline if {
	decision := under({
		"rules": {"interactive_session": {"flags": false}},
		"responses": {"rules": {}, "severities": {}},
		"deadlines": {"severities": {"high": 5}, "groups": {"fronts": 5}},
	})
	decision.deadline_seconds == null
}

staged(stage) := result if {
	site := samples.site_with(object.union(responding, {"hosts": {"web-1": {"mode": "enforce"}}, "lockdown": {}}))
	result := event.decision with input as shell with data.hostseal.site as site with data.hostseal.rollout as stage
}

test_a_revision_that_observes_holds_back_as_mode_observe_does if {
	decision := staged({"state": "observe"})
	decision.allowed
	decision.violations == []
	decision.actions == []
	decision.would == ["flag", "lockdown_closed", "terminate_session"]
	decision.deadline_seconds == 600
	not decision.lockdown
}

test_each_action_is_held_back_by_its_own_stage if {
	decision := staged({"state": "staged", "stage_percent": {"flag": 100, "terminate_session": 0}})
	decision.actions == ["flag"]
	decision.would == ["lockdown_closed", "terminate_session"]
	decision.violations == [shell_message]
}

test_a_stage_gives_no_leave_that_the_mode_does_not if {
	everywhere := {"state": "staged", "stage_percent": {"flag": 100}}
	observed := samples.on_host(shell, "lab-1")
	decision := event.decision with input as observed
		with data.hostseal.site as samples.site
		with data.hostseal.rollout as everywhere
	decision.would == ["flag"]
	decision.actions == []
}

by_break_glass(changes) := result if {
	key := object.union(samples.alice.key, {"certificate": samples.certificate})
	asked := samples.channel(object.union(samples.alice, {"key": key}), "command", null)
	site := samples.site_with(object.union({"login": {"deadline_seconds": 60, "how_to_ask": "Ask carol."}}, changes))
	result := event.decision with input as asked with data.hostseal.site as site
}

test_the_price_of_a_break_glass_login_counts_where_it_flags if {
	by_break_glass({}).deadline_seconds == 60
	by_break_glass({"rules": {"break_glass_worked": {"flags": false}}}).deadline_seconds == null
}
