package hostseal.replace_test

import data.hostseal.replace as replacing
import data.hostseal.samples_test as samples

decided(asked) := result if {
	result := replacing.decision with input as asked with data.hostseal.site as samples.site
}

with_deadline(deadline) := samples.replacement_but({"incident": {"deadline": deadline}})

test_a_flagged_host_may_be_replaced if {
	decided(samples.replacement) == {
		"allowed": true,
		"violations": [],
		"findings": [],
		"actions": ["replace"],
		"would": [],
		"deadline_seconds": 0,
		"due": true,
		"host": {"mode": "flag", "class": "immutable", "groups": ["fronts"]},
	}
}

test_before_its_deadline_it_may_be_replaced_and_is_not_due if {
	decision := decided(with_deadline("2026-01-02T03:05:05.500000Z"))
	[decision.allowed, decision.due, decision.deadline_seconds] == [true, false, 60]
}

test_at_its_deadline_it_is_due if {
	decision := decided(with_deadline("2026-01-02T03:04:06.000000Z"))
	[decision.due, decision.deadline_seconds] == [true, 0]
}

test_another_time_zone_is_the_same_moment if {
	decided(with_deadline("2026-01-02T04:04:06+01:00")).due
	not decided(with_deadline("2026-01-02T03:04:06-01:00")).due
}

test_without_a_deadline_it_is_due if {
	decision := decided(with_deadline(null))
	[decision.allowed, decision.due, decision.deadline_seconds] == [true, true, null]
}

test_each_refusal_has_its_sentence if {
	decision := decided(samples.replacement_but({"held": true, "attempts": 3, "image": {"track": "revoked"}}))
	decision.allowed == false
	decision.actions == []
	{finding.rule | some finding in decision.findings} == {"held", "too_many_attempts", "image_not_current"}
	count(decision.violations) == 3
}

test_a_host_that_is_not_flagged_is_refused_and_not_due if {
	decision := decided(samples.replacement_but({"standing": "sealed", "incident": null}))
	[decision.allowed, decision.due, decision.deadline_seconds] == [false, false, null]
}

test_mode_observe_says_what_would_have_happened if {
	asked := samples.replacement_but({"host": {"name": "lab-1-g1", "slot": "lab-1"}})
	decision := decided(asked)
	[decision.allowed, decision.actions, decision.would] == [false, [], ["replace"]]
	decided(object.union(asked, {"replace": {"held": true}})).would == []
}

refused(decision, why) if {
	[decision.allowed, decision.actions, decision.would, decision.due] == [false, [], [], false]
	decision.violations == [sprintf("The replacement cannot be judged: %s.", [why])]
	[finding.rule | some finding in decision.findings] == ["malformed_input"]
}

test_no_input_is_refused if {
	decision := replacing.decision with data.hostseal.site as samples.site
	refused(decision, "there is no input")
	decided({}).allowed == false
}

test_no_site_data_is_refused if {
	decision := replacing.decision with input as samples.replacement with data.hostseal.site as {}
	refused(decision, "the site's data knows none of the modes observe, flag and enforce for web-1-g2")
}

test_the_sentence_says_which_part if {
	refused(decided(samples.replacement_but({"now": "yesterday"})), "replace.now is no time as RFC 3339 has it")
	refused(decided(with_deadline("soon")), "replace.incident.deadline is no time as RFC 3339 has it")
	refused(decided(samples.replacement_but({"incident": {"id": null}})), "replace.incident.id is null, not a text")
}

test_a_malformed_question_is_refused if {
	every wrong in [
		json.remove(samples.replacement, ["replace/host/name"]),
		json.remove(samples.replacement, ["replace/host/slot"]),
		json.remove(samples.replacement, ["replace/host/generation"]),
		json.remove(samples.replacement, ["replace/host/instance_id"]),
		json.remove(samples.replacement, ["replace/incident"]),
		json.remove(samples.replacement, ["replace/incident/deadline"]),
		json.remove(samples.replacement, ["replace/held"]),
		json.remove(samples.replacement, ["replace/attempts"]),
		json.remove(samples.replacement, ["replace/now"]),
		json.remove(samples.replacement, ["replace/image/track"]),
		json.remove(samples.replacement, ["replace/requested_by"]),
		samples.replacement_but({"standing": "cracked"}),
		samples.replacement_but({"held": "no"}),
		samples.replacement_but({"attempts": "none"}),
		samples.replacement_but({"now": "yesterday"}),
		samples.replacement_but({"now": "2026-01-02 03:04:06"}),
		with_deadline("soon"),
		samples.replacement_but({"incident": {"id": null}}),
	] {
		decided(wrong).findings[0].rule == "malformed_input"
	}
}
