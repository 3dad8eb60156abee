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

test_a_malformed_question_has_no_decision if {
	asked := samples.login(samples.alice, null)
	every broken in [
		{},
		object.remove(asked, ["login"]),
		object.remove(asked, ["standing"]),
		object.union(asked, {"event": {"type": "session.closed"}}),
		samples.login_but(asked, {"used": "no"}),
		samples.login_but(asked, {"time": "now"}),
		samples.login_but(asked, {"phase": "later"}),
		samples.login_but(asked, {"certificate": {"key_id": 7}}),
	] {
		not defined(broken)
	}
}

defined(asked) if decision(asked, "enforce")
