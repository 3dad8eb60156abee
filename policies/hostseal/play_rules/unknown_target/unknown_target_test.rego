package hostseal.play_rules.unknown_target_test

import data.hostseal.play_rules.unknown_target
import data.hostseal.samples_test as samples

sentences(asked) := result if {
	result := unknown_target.sentences with input as asked with data.hostseal.site as samples.site
}

astray := samples.install_but({"target": {"kind": "unknown", "host": null}})

sets(names, tasks) := object.union(samples.play(tasks, ["pet-1"]), {"play": {"sets": names}})

test_a_task_delegated_to_a_template_is_refused if {
	sentences(samples.play([astray], ["pet-1"])) == {"refused": concat("", [
		`Which host the play "Patch the web servers" changes is known only while it runs: `,
		`task "Install nginx" of ansible.builtin.apt. Name the host outright, and its address in the inventory.`,
	])}
}

test_a_play_that_sets_its_hosts_address_is_refused if {
	contains(sentences(sets(["ansible_host"], [samples.install])).refused, "apt, and the play sets ansible_host. Name")
}

test_it_is_a_finding if {
	some finding in unknown_target.findings with input as samples.play([astray], [])
		with data.hostseal.site as samples.site
	[finding.rule, finding.severity] == ["unknown_target", "medium"]
}

test_a_site_that_only_observes_only_observes if {
	site := samples.site_with({"groups": {"fronts": {"mode": "observe"}}})
	observing := json.patch(site, [
		{"op": "replace", "path": "/hosts", "value": {"web-1": {}}},
		{"op": "replace", "path": "/groups", "value": {"fronts": {"class": "immutable"}}},
	])
	found := unknown_target.sentences with input as samples.play([astray], []) with data.hostseal.site as observing
	object.keys(found) == {"observed"}
}

test_known_targets_and_other_variables_are_declined if {
	sentences(samples.play([samples.install], ["web-1"])) == {}
	sentences(sets(["ansible_user"], [samples.install])) == {}
}

test_exempt_are_reading_allowed_roles_and_check_mode if {
	every changes in [
		{"module": "ansible.builtin.stat"},
		{"collection": "hostseal.core"},
		{"check": true},
	] {
		sentences(samples.play([object.union(astray, changes)], ["web-1"])) == {}
		sentences(sets(["ansible_host"], [samples.install_but(changes)])) == {}
	}
}

test_no_input_finds_nothing if sentences({}) == {}
