package hostseal.rollout_test

import data.hostseal.response
import data.hostseal.samples_test as samples

shell := samples.channel(samples.alice, "shell", "pts/0")

place := response.bucket(shell.event.host.machine_id)

actions := ["suspect", "lift", "flag", "arm", "terminate_session", "lockdown_automation_only", "lockdown_closed"]

acts(asked, action, stage) if data.hostseal.rollout.acts(action) with input as asked with data.hostseal.rollout as stage

acting(stage) := [action | some action in actions; acts(shell, action, stage)]

flag_on(percent) := {"state": "staged", "stage_percent": {"flag": percent}}

test_a_promoted_revision_takes_every_action if acting({"state": "promoted"}) == actions

test_a_revision_that_observes_takes_none_but_the_suspicion if acting({"state": "observe"}) == ["suspect", "lift"]

test_each_action_has_a_stage_of_its_own if {
	acting({"state": "staged", "stage_percent": {"flag": place + 1, "lockdown_closed": place}}) == [
		"suspect",
		"lift",
		"flag",
	]
}

test_a_hundred_percent_are_all_hosts_and_none_is_none if {
	every number in numbers.range(1, 300) {
		host := {"event": {"host": {"machine_id": sprintf("%032x", [number])}}}
		acts(host, "flag", flag_on(100))
		not acts(host, "flag", flag_on(0))
	}
}

test_a_host_without_a_machine_id_is_in_no_stage if {
	not acts(json.remove(shell, ["event/host/machine_id"]), "flag", flag_on(100))
}

test_what_is_not_said_is_held_back if {
	acting({}) == ["suspect", "lift"]
	acting({"state": "promotted"}) == ["suspect", "lift"]
}
