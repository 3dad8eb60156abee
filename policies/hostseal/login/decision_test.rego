package hostseal.login_test

import data.hostseal.login
import data.hostseal.samples_test as samples

on(mode) := object.union(samples.site, {"hosts": {"web-1": {"mode": mode, "class": "immutable"}}})

decision(asked, mode) := result if {
	result := login.decision with input as asked with data.hostseal.site as on(mode)
}

test_a_person_without_break_glass_is_refused_on_an_enforcing_host if {
	decided := decision(samples.login(samples.alice, null), "enforce")
	decided.allowed == false
	decided.actions == ["refuse"]
	decided.violations == ["alice logs in without break-glass, and web-1 is immutable. Ask carol."]
	decided.deadline_seconds == null
}

test_elsewhere_the_decision_says_that_it_would_refuse if {
	every mode in ["observe", "flag"] {
		decided := decision(samples.login(samples.alice, null), mode)
		decided.allowed == true
		decided.violations == []
		decided.actions == []
		decided.would == ["refuse"]
		count(decided.findings) == 1
	}
}

test_a_gate_that_is_not_armed_refuses_nobody if {
	asked := samples.login_but(samples.login(samples.alice, null), {"armed": false})
	decision(asked, "enforce").allowed == true
	decision(asked, "enforce").would == ["refuse"]
}

test_break_glass_is_admitted_at_its_price if {
	decided := decision(samples.login(samples.alice, samples.certificate), "enforce")
	decided.allowed == true
	decided.would == []
	decided.deadline_seconds == 900
	{finding.rule | some finding in decided.findings} == {"break_glass_login"}
}

test_a_refusal_always_names_a_violation if {
	every certificate in [null, samples.certificate, object.union(samples.certificate, {"serial": 2})] {
		every user in [samples.alice, samples.deploy] {
			every used in [true, false] {
				consistent(decision(samples.login_but(samples.login(user, certificate), {"used": used}), "enforce"))
			}
		}
	}
}

consistent(decided) if {
	decided.allowed == true
	decided.violations == []
}

consistent(decided) if {
	decided.allowed == false
	count(decided.violations) > 0
}

test_a_malformed_question_is_refused if {
	asked := samples.login(samples.alice, null)
	every why, broken in {
		"it is not an object": [],
		"standing.state is missing": object.remove(asked, ["standing"]),
		"event.type is none of login.requested, session.opened": object.union(asked, {"event": {"type": "x"}}),
		"login.used is a text, not true or false": samples.login_but(asked, {"used": "no"}),
		"login.time is no time as RFC 3339 has it": samples.login_but(asked, {"time": "now"}),
		"login.phase is none of account, session": samples.login_but(asked, {"phase": "later"}),
		"login.certificate.serial is a text, not a number": samples.login_but(asked, {"certificate": object.union(
			samples.certificate,
			{"serial": "7"},
		)}),
	} {
		decided := decision(broken, "enforce")
		decided.allowed == false
		decided.violations == [sprintf("The login cannot be judged: %s.", [why])]
	}
}

test_only_a_closed_gate_says_that_it_refuses if {
	decision({}, "enforce").would == ["refuse"]
	asked := samples.login_but(samples.login(samples.alice, null), {"used": "no"})
	decision(asked, "enforce").actions == ["refuse"]
	decision(asked, "flag").would == ["refuse"]
	decision(object.remove(asked, ["login"]), "enforce").would == ["refuse"]
}

test_no_question_is_refused if {
	decided := login.decision with data.hostseal.site as on("enforce")
	decided.violations == ["The login cannot be judged: there is no input."]
}

test_a_mode_nobody_knows_is_refused if {
	decided := decision(samples.login(samples.alice, null), "enforse")
	decided.allowed == false
	contains(decided.violations[0], "knows none of the modes observe, flag and enforce for web-1")
}

rolled_out(rollout) := result if {
	result := login.decision with input as samples.login(samples.alice, null)
		with data.hostseal.site as on("enforce")
		with data.hostseal.rollout as rollout
}

test_a_promoted_revision_refuses if rolled_out({"state": "promoted"}).actions == ["refuse"]

test_a_revision_that_only_observes_refuses_nobody if {
	decided := rolled_out({"state": "observe"})
	[decided.allowed, decided.actions, decided.would] == [true, [], ["refuse"]]
}

test_a_staged_revision_refuses_on_the_hosts_of_its_stage if {
	rolled_out({"state": "staged", "stage_percent": {"refuse": 100}}).actions == ["refuse"]
	every stage in [{"refuse": 0}, {}] {
		rolled_out({"state": "staged", "stage_percent": stage}).would == ["refuse"]
	}
}

test_a_state_of_the_rollout_that_nobody_knows_refuses_nobody if {
	rolled_out({"state": "stagged", "stage_percent": {"refuse": 100}}).would == ["refuse"]
}
