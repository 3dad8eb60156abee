package hostseal.play_rules.patched_in_place_test

import data.hostseal.play_rules.patched_in_place
import data.hostseal.samples_test as samples

sentences(asked) := result if {
	result := patched_in_place.sentences with input as asked with data.hostseal.site as samples.site
}

sentence(what) := concat("", [
	`The play "Patch the web servers" patches the immutable `,
	what,
	". Build a new image with the change and replace the ",
])

test_a_patch_is_refused if {
	sentences(samples.play([samples.install], ["web-1"])).refused == sprintf("%shost.", [
		sentence(`host web-1 in place: task "Install nginx" of ansible.builtin.apt`),
	])
}

test_the_role_is_named if {
	task := samples.install_but({"role": "web", "name": ""})
	sentences(samples.play([task], ["web-1"])).refused == sprintf("%shost.", [
		sentence("host web-1 in place: a task of ansible.builtin.apt in role web"),
	])
	from_collection := samples.install_but({"role": "web", "name": "", "collection": "acme.site"})
	sentences(samples.play([from_collection], ["web-1"])).refused == sprintf("%shost.", [
		sentence("host web-1 in place: a task of ansible.builtin.apt in role acme.site.web"),
	])
}

test_many_hosts_and_tasks_are_counted if {
	tasks := [samples.install_but({"name": name}) | some name in ["a", "b", "c", "d", "e"]]
	hosts := ["web-1", "web-2", "web-1-g3", "web-1-g4", "web-1-g5"]
	sentences(samples.play(tasks, hosts)).refused == sprintf("%shosts.", [sentence(concat("", [
		"hosts web-1, web-1-g3, web-1-g4 and 2 more in place: task a of ansible.builtin.apt, ",
		"task b of ansible.builtin.apt, task c of ansible.builtin.apt and 2 more",
	]))])
}

test_hostile_names_are_quoted_with_escapes if {
	task := samples.install_but({"name": "a\nb{{ 7*6 }}", "role": "r\u001b[2J"})
	asked := object.union(samples.play([task], ["web-1"]), {"play": {"name": "{{ x }}\n"}})
	contains(sentences(asked).refused, `"a\nb{{ 7*6 }}" of ansible.builtin.apt in role "r\x1b[2J"`)
	contains(sentences(asked).refused, `The play "{{ x }}\n" patches`)
}

test_a_delegated_task_counts_where_it_runs if {
	to_host := samples.install_but({"target": {"kind": "host", "host": "web-1"}})
	contains(sentences(samples.play([to_host], ["pet-1"])).refused, "host web-1 in place")
	away := samples.install_but({"target": {"kind": "host", "host": "pet-1"}})
	sentences(samples.play([away], ["web-1"])) == {}
}

test_the_host_of_a_listed_slot_is_what_its_slot_is if {
	sentences(samples.play([samples.install], ["web-2-g7"])).refused
	sentences(samples.play([samples.install], ["pet-1-g7"])) == {}
}

test_the_controller_is_let_through_unless_the_site_lists_it if {
	asked := samples.play([samples.install], ["localhost"])
	sentences(asked) == {}
	sentences(object.union(asked, {"requested_by": {"controller": "web-1"}})).refused
	sentences(object.union(asked, {"requested_by": {"controller": "pet-1"}})) == {}
}

test_mode_observe_only_observes if {
	object.keys(sentences(samples.play([samples.install], ["lab-1", "nobody-lists-it"]))) == {"observed"}
}

test_exempt_are_mutable_hosts_and_hosts_that_build_images if {
	sentences(samples.play([samples.install], ["pet-1", "build-1"])) == {}
}

test_exempt_are_allowed_roles_by_the_collection_they_came_from if {
	every task in [
		samples.install_but({"role": "agent", "collection": "hostseal.core"}),
		samples.install_but({"role": "agent", "collection": "acme.base"}),
	] {
		sentences(samples.play([task], ["web-1"])) == {}
	}
	every task in [
		samples.install_but({"role": "hostseal.core.agent"}),
		samples.install_but({"role": "acme.base.agent"}),
		samples.install_but({"role": "other", "collection": "acme.base"}),
	] {
		sentences(samples.play([task], ["web-1"])).refused
	}
}

test_exempt_is_check_mode_of_the_task_itself if {
	sentences(samples.play([samples.install_but({"check": true})], ["web-1"])) == {}
	checking := object.union(samples.play([samples.install], ["web-1"]), {"play": {"check": true}})
	sentences(checking).refused
}

test_reading_is_declined_and_only_what_is_listed_as_such if {
	sentences(samples.play([samples.install_but({"module": "ansible.builtin.stat"})], ["web-1"])) == {}
	every module in ["stat", "ansible.builtin.setup", "ansible.builtin.command", null] {
		sentences(samples.play([samples.install_but({"module": module})], ["web-1"])).refused
	}
}

test_dynamic_tasks_are_declined if {
	sentences(samples.play([samples.install_but({"dynamic": true})], ["web-1"])) == {}
}

test_no_input_finds_nothing if {
	sentences({}) == {}
	patched_in_place.findings == set() with input as {} with data.hostseal.site as samples.site
}
