package hostseal.response_test

import data.hostseal.response
import data.hostseal.samples_test as samples

shell := samples.channel(samples.alice, "shell", "pts/0")

by_rule := {"rules": {"interactive_session": ["terminate_session"]}, "severities": {"high": ["lockdown_closed"]}}

interactive := {"rule": "interactive_session", "severity": "high"}

asked(event, findings) := result if {
	site := samples.site_with({"responses": by_rule})
	result := response.asked(findings) with input as event with data.hostseal.site as site
}

test_rule_and_severity_both_count if {
	asked(shell, {interactive}) == {"terminate_session", "lockdown_closed"}
}

test_another_rule_of_another_severity_has_no_response if {
	asked(shell, {{"rule": "automation_changed_file", "severity": "low"}}) == set()
}

test_no_finding_has_no_response if asked(shell, set()) == set()

test_the_site_answers_nothing_unless_told if {
	response.asked({interactive}) == set() with input as shell with data.hostseal.site as samples.site
	response.asked({interactive}) == set() with input as shell with data.hostseal.site as {}
}

test_a_session_is_ended_only_where_it_is_known if {
	asked(samples.opened(samples.alice), {interactive}) == {"terminate_session", "lockdown_closed"}
	asked(samples.but(shell, {"session": null}), {interactive}) == {"lockdown_closed"}
	asked(samples.but(shell, {"session": {"audit_session": null}}), {interactive}) == {"lockdown_closed"}
	asked(samples.about("session.closed", samples.alice), {interactive}) == {"lockdown_closed"}
}

test_nobody_is_cut_off_on_a_guess if {
	change := samples.changed(samples.by_session(samples.alice), ["/etc/hosts"])
	asked(change, {interactive}) == {"terminate_session", "lockdown_closed"}
	asked(samples.but(change, {"confidence": "inferred"}), {interactive}) == {"lockdown_closed"}
	asked(samples.changed(samples.by_program, ["/etc/hosts"]), {interactive}) == {"lockdown_closed"}
}

on(machine_id) := {"event": {"host": {"machine_id": machine_id}}}

# What sha256sum says of "test" begins with 9f86, which is 40838.
test_the_place_is_the_hash_of_the_machine_id if response.bucket("test") == 38

test_a_place_within_the_percentage_is_in_the_stage if {
	response.staged with input as on("test") with data.hostseal.site.lockdown.stage_percent as 39
	not response.staged with input as on("test") with data.hostseal.site.lockdown.stage_percent as 38
	not response.staged with input as on("test") with data.hostseal.site.lockdown.stage_percent as 0
	response.staged with input as on("test") with data.hostseal.site.lockdown.stage_percent as 100
}

# All of it in one test, for each test works the places out anew.
test_a_stage_is_about_its_part_of_a_thousand_hosts if {
	places := [response.bucket(sprintf("%032x", [number])) | some number in numbers.range(1, 1000)]
	{place | some place in places} == {place | some place in numbers.range(0, 99)}
	every stage in [{"percent": 10, "least": 70, "most": 130}, {"percent": 50, "least": 450, "most": 550}] {
		inside := count([1 | some place in places; place < stage.percent])
		inside >= stage.least
		inside <= stage.most
	}
}

test_a_host_without_a_machine_id_is_in_no_stage if {
	event := json.remove(shell, ["event/host/machine_id"])
	not response.staged with input as event with data.hostseal.site as samples.site
	not response.staged with input as shell with data.hostseal.site as {}
}
