package hostseal.event_test

import data.hostseal.event
import data.hostseal.samples_test as samples

recorded := {
	"allowed": true,
	"violations": [],
	"findings": [],
	"actions": [],
	"would": [],
	"deadline_seconds": null,
}

shell := samples.channel(samples.alice, "shell", "pts/0")

shell_message := "alice (key SHA256:alice) from 192.0.2.7 opened an interactive shell."

shell_findings := [{
	"rule": "interactive_session",
	"severity": "high",
	"message": shell_message,
	"controls": ["NIST CM-5", "NIST AC-17", "PCI 10.2", "CIS 4.6", "CIS 5.4", "SOC2 CC6.1"],
}]

decided(asked) := result if {
	result := event.decision with input as asked with data.hostseal.site as samples.site
}

answered(asked) := object.remove(decided(asked), ["host"])

test_a_decision_tells_what_the_policy_knows_of_the_host if {
	decided(shell).host.mode == "flag"
	decided(samples.on_host(shell, "lab-1")).host.mode == "observe"
}

test_a_broken_seal_flags_the_host_with_a_deadline if {
	answered(shell) == {
		"allowed": false,
		"violations": [shell_message],
		"findings": shell_findings,
		"actions": ["flag"],
		"would": [],
		"deadline_seconds": 600,
	}
}

test_mode_observe_says_what_would_have_happened if {
	answered(samples.on_host(shell, "lab-1")) == {
		"allowed": true,
		"violations": [],
		"findings": shell_findings,
		"actions": [],
		"would": ["flag"],
		"deadline_seconds": 600,
	}
}

test_mode_enforce_flags_as_well if {
	site := samples.site_with({"hosts": {"web-1": {"mode": "enforce"}}})
	decision := event.decision with input as shell with data.hostseal.site as site
	decision.actions == ["flag"]
}

responding := {"responses": {"rules": {"interactive_session": ["terminate_session", "lockdown_closed"]}}}

with_responses(asked, mode, lockdown) := result if {
	site := samples.site_with(object.union(responding, {"hosts": {"web-1": {"mode": mode}}, "lockdown": lockdown}))
	result := event.decision with input as asked with data.hostseal.site as site
}

test_mode_enforce_responds_and_says_how if {
	decision := with_responses(shell, "enforce", {})
	decision.actions == ["flag", "lockdown_closed", "terminate_session"]
	decision.would == []
	decision.lockdown == {
		"accounts": ["deploy"],
		"key_fingerprints": ["SHA256:deploy"],
		"authorities": ["SHA256:glass"],
		"existing_sessions": "keep",
		"without_break_glass": false,
	}
}

test_mode_flag_flags_and_holds_the_responses_back if {
	decision := with_responses(shell, "flag", {})
	decision.actions == ["flag"]
	decision.would == ["lockdown_closed", "terminate_session"]
	not decision.lockdown
}

test_mode_observe_holds_everything_back if {
	decision := with_responses(shell, "observe", {})
	decision.actions == []
	decision.would == ["flag", "lockdown_closed", "terminate_session"]
	not decision.lockdown
}

test_a_host_outside_the_stage_is_not_locked_down if {
	decision := with_responses(shell, "enforce", {"stage_percent": 0})
	decision.actions == ["flag", "terminate_session"]
	decision.would == ["lockdown_closed"]
	not decision.lockdown
}

test_the_higher_level_is_all_that_counts if {
	site := samples.site_with({
		"hosts": {"web-1": {"mode": "enforce"}},
		"responses": {
			"rules": {"interactive_session": ["lockdown_automation_only"]},
			"severities": {"high": ["lockdown_closed"]},
		},
	})
	decision := event.decision with input as shell with data.hostseal.site as site
	decision.actions == ["flag", "lockdown_closed"]
}

test_a_response_without_a_flag_has_no_violation_and_no_deadline if {
	site := samples.site_with({
		"hosts": {"web-1": {"mode": "enforce"}},
		"responses": {"rules": {"automation_changed_file": ["terminate_session"]}, "severities": {}},
	})
	change := samples.changed(samples.by_session(samples.deploy), ["/etc/hosts"])
	decision := event.decision with input as change with data.hostseal.site as site
	decision.actions == ["terminate_session"]
	decision.violations == []
	decision.deadline_seconds == null
}

test_a_host_cannot_claim_a_mode if {
	claiming := object.union(shell, {"event": {"host": {"mode": "observe"}}})
	decided(claiming).actions == ["flag"]
	flagging := object.union(samples.on_host(shell, "nobody-knows-it"), {"event": {"host": {"mode": "flag"}}})
	decided(flagging).would == ["flag"]
}

test_a_flag_overrules_a_lift if {
	site := samples.site_with({"flag_on_loss": []})
	decision := event.decision with input as samples.lost
		with data.hostseal.site as site
		with data.hostseal.rules.session_without_shell.asks as {"lift"}
		with data.hostseal.rules.interactive_session.asks as {"flag"}
	decision.actions == ["flag"]
}

test_a_login_request_is_recorded if {
	answered(samples.about("login.requested", {
		"user": "alice",
		"service": "sshd",
		"source": null,
		"connection": null,
	})) == recorded
}

test_a_closed_session_is_recorded if answered(samples.about("session.closed", samples.alice)) == recorded

test_the_agents_own_news_are_recorded if {
	answered(samples.about("agent.started", {})) == recorded
	answered(samples.about("agent.stopped", {"reason": "SIGTERM"})) == recorded
}

by_operator := samples.about("operator.flagged", {"person": "carol", "reason": "a drill"})

test_an_operators_word_flags_the_host_and_mode_observe_is_exempt if {
	decided(by_operator).actions == ["flag"]
	decided(by_operator).deadline_seconds == 600
	decided(samples.on_host(by_operator, "lab-1")).would == ["flag"]
}

test_an_operators_word_without_person_or_reason_cannot_be_judged if {
	cannot_be_judged(samples.but(by_operator, {"person": null}), "event.data.person is null, not a text")
	cannot_be_judged(json.remove(by_operator, ["event/data/reason"]), "event.data.reason is missing")
}

test_an_unknown_type_is_recorded if answered(samples.about("moon.rose", {"user": 7})) == recorded

test_a_channel_with_nothing_but_what_is_needed_is_decided if {
	asked := json.remove(shell, ["event/data/source", "event/data/session", "event/data/pty", "event/time"])
	decided(asked).violations == [concat("", [
		"alice (no key on record) from an unknown address ",
		"opened an interactive shell.",
	])]
}

test_an_unknown_kind_of_channel_is_recorded if {
	answered(samples.channel(samples.alice, "x11", null)) == recorded
}

test_no_input_cannot_be_judged if {
	decision := event.decision with data.hostseal.site as samples.site
	decision.violations == ["The event cannot be judged: there is no event in it."]
	decided({}).allowed == false
	every wrong in [[], "event", 7, false, null] {
		cannot_be_judged(wrong, "there is no event in it")
	}
}

cannot_be_judged(asked, why) if {
	decision := decided(asked)
	[decision.allowed, decision.actions, decision.would] == [false, [], []]
	decision.violations == [sprintf("The event cannot be judged: %s.", [why])]
	[finding.rule | some finding in decision.findings] == ["malformed_input"]
}

test_a_malformed_input_is_said_to_be_so if {
	every why, asked in {
		"event.id is missing": json.remove(shell, ["event/id"]),
		"event.seq is missing": json.remove(shell, ["event/seq"]),
		"event.type is missing": json.remove(shell, ["event/type"]),
		"event.host.name is missing": json.remove(shell, ["event/host/name"]),
		"standing.state is missing": json.remove(shell, ["standing"]),
		"event.data.user is missing": json.remove(shell, ["event/data/user"]),
		"event.data.kind is missing": json.remove(shell, ["event/data/kind"]),
		"event.data.user is a list, not a text": samples.but(shell, {"user": ["alice"]}),
		"standing.state is none of sealed, suspect, flagged": samples.standing(shell, "cracked"),
		"event.data.cause is null, not a text": samples.but(samples.lost, {"cause": null}),
	} {
		cannot_be_judged(asked, why)
	}
	every asked in [
		json.remove(shell, ["event/data"]),
		object.union(shell, {"event": {"data": "alice"}}),
	] {
		decided(asked).findings[0].rule == "malformed_input"
	}
}

test_unreadable_changes_cannot_be_judged if {
	change := samples.changed(samples.by_program, ["/etc/hosts"])
	every wrong in [
		{"writer": {"kind": "ghost"}},
		{"confidence": "sure"},
		{"paths": {}},
		{"paths": [{"path": 7}]},
		{"count": "many"},
		{"truncated": null},
	] {
		decided(samples.but(change, wrong)).findings[0].rule == "malformed_input"
	}
}

unknown_mode := concat(" ", [
	"The event cannot be judged: the site's data knows none of the modes",
	"observe, flag and enforce for web-1.",
])

test_a_mode_nobody_knows_cannot_be_judged if {
	every site in [{}, samples.site_with({"hosts": {"web-1": {"mode": "enforse"}}})] {
		decision := event.decision with input as shell with data.hostseal.site as site
		decision.violations == [unknown_mode]
		decision.actions == []
	}
}
