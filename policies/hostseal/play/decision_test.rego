package hostseal.play_test

import data.hostseal.play
import data.hostseal.samples_test as samples

decided(asked) := result if {
	result := play.decision with input as asked with data.hostseal.site as samples.site
}

patched := concat("", [
	`The play "Patch the web servers" patches the immutable host web-1 in place: task "Install nginx" `,
	"of ansible.builtin.apt. Build a new image with the change and replace the host.",
])

test_a_patch_of_an_immutable_host_is_refused if {
	decided(samples.play([samples.install], ["web-1"])) == {
		"allowed": false,
		"violations": [patched],
		"findings": [{
			"rule": "patched_in_place",
			"severity": "high",
			"message": patched,
			"controls": ["NIST CM-3", "NIST CM-5", "PCI 6.5", "CIS 4.1", "SOC2 CC8.1"],
		}],
		"actions": ["refuse"],
		"would": [],
		"deadline_seconds": null,
	}
}

test_mode_observe_says_what_would_have_been_refused if {
	decision := decided(samples.play([samples.install], ["lab-1"]))
	[decision.allowed, decision.violations, decision.actions, decision.would] == [true, [], [], ["refuse"]]
	count(decision.findings) == 1
}

test_hosts_of_both_kinds_are_told_apart if {
	decision := decided(samples.play([samples.install], ["web-1", "lab-1"]))
	decision.violations == [patched]
	decision.would == ["refuse"]
	count(decision.findings) == 2
}

test_a_harmless_play_is_allowed if {
	decided(samples.play([samples.install_but({"module": "ansible.builtin.stat"})], ["web-1"])) == {
		"allowed": true,
		"violations": [],
		"findings": [],
		"actions": [],
		"would": [],
		"deadline_seconds": null,
	}
}

test_a_play_without_hosts_or_tasks_is_allowed if {
	decided(samples.play([samples.install], [])).allowed
	decided(samples.play([], ["web-1"])).allowed
}

test_what_a_newer_gate_adds_is_no_hindrance if {
	decided(object.union(samples.play([], ["web-1"]), {"colour": "red", "play": {"colour": "red"}})).allowed
}

refused(decision, why) if {
	[decision.allowed, decision.actions, decision.would] == [false, ["refuse"], []]
	decision.violations == [sprintf("The play cannot be judged: %s.", [why])]
	[finding.rule | some finding in decision.findings] == ["malformed_input"]
}

test_no_input_is_refused if {
	decision := play.decision with data.hostseal.site as samples.site
	refused(decision, "there is no play in it")
	refused(decided([]), "there is no play in it")
	decided({}).allowed == false
}

unknown_mode := "the site's data knows none of the modes observe, flag and enforce for web-1"

test_a_mode_nobody_knows_is_refused if {
	every site in [{}, samples.site_with({"hosts": {"web-1": {"mode": "enforse"}}})] {
		decision := play.decision with input as samples.play([samples.install], ["web-1"])
			with data.hostseal.site as site
		refused(decision, unknown_mode)
	}
}

test_the_sentence_says_which_part if {
	asked := samples.play([samples.install], ["web-1"])
	refused(decided(json.remove(asked, ["play/name"])), "play.name is missing")
	refused(decided(object.union(asked, {"play": {"hosts": [7]}})), "play.hosts holds something else than texts")
	refused(decided(samples.play(["apt"], [])), "play.tasks[0].it is not an object")
	refused(decided(samples.play([samples.install_but({"module": 7})], [])), concat("", [
		"play.tasks[0].module is a number, not null or a text",
	]))
}

test_a_malformed_play_is_refused if {
	asked := samples.play([samples.install], ["web-1"])
	every wrong in [
		json.remove(asked, ["play/name"]),
		json.remove(asked, ["play/check"]),
		json.remove(asked, ["play/hosts"]),
		json.remove(asked, ["play/sets"]),
		json.remove(asked, ["play/tasks"]),
		json.remove(asked, ["requested_by/controller"]),
		object.union(asked, {"play": {"hosts": [7]}}),
		object.union(asked, {"play": {"hosts": "web-1"}}),
		object.union(asked, {"play": {"tasks": {}}}),
		object.union(asked, {"play": {"tasks": ["apt"]}}),
	] {
		decided(wrong).findings[0].rule == "malformed_input"
	}
}

test_a_malformed_task_is_refused if {
	every wrong in [
		object.remove(samples.install, ["module"]),
		object.remove(samples.install, ["check"]),
		object.remove(samples.install, ["target"]),
		samples.install_but({"name": null}),
		samples.install_but({"dynamic": "no"}),
		samples.install_but({"module": 7}),
		samples.install_but({"target": {"kind": "moon"}}),
		samples.install_but({"target": {"kind": "host"}}),
	] {
		decided(samples.play([wrong], ["web-1"])).findings[0].rule == "malformed_input"
	}
}

test_a_delegated_task_reaches_no_host_whose_mode_or_class_nobody_knows if {
	task := samples.install_but({"target": {"kind": "host", "host": "odd-1"}})
	every said in [{"mode": "enfroce"}, {"mode": null}, {"mode": "flag", "class": "imutable"}] {
		site := object.union(samples.site, {"hosts": {"odd-1": said}})
		asked := samples.play([task], ["lab-1"])
		decision := play.decision with input as asked with data.hostseal.site as site
		decision.allowed == false
	}
}
