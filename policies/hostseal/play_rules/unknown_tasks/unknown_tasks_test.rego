package hostseal.play_rules.unknown_tasks_test

import data.hostseal.play_rules.unknown_tasks
import data.hostseal.samples_test as samples

sentences(asked) := result if {
	result := unknown_tasks.sentences with input as asked with data.hostseal.site as samples.site
}

include := samples.install_but({"name": "The rest", "module": "ansible.builtin.include_tasks", "dynamic": true})

test_a_dynamic_include_is_refused if {
	sentences(samples.play([include], ["web-1"])).refused == concat("", [
		`What the play "Patch the web servers" does to the immutable host web-1 is known only while it runs: `,
		`task "The rest" of ansible.builtin.include_tasks. `,
		"Name the file, role or module outright, so that it can be judged beforehand.",
	])
}

test_a_module_of_that_name_helps_nothing if {
	sentences(samples.play([object.union(include, {"module": "ansible.builtin.stat"})], ["web-1"])).refused
	contains(sentences(samples.play([object.union(include, {"module": null})], ["web-1"])).refused, "an unknown module")
}

test_it_is_a_finding if {
	some finding in unknown_tasks.findings with input as samples.play([include], ["lab-1"])
		with data.hostseal.site as samples.site
	[finding.rule, finding.severity] == ["unknown_tasks", "medium"]
}

test_known_tasks_are_declined if sentences(samples.play([samples.install], ["web-1"])) == {}

test_exempt_are_mutable_hosts_allowed_roles_and_check_mode if {
	sentences(samples.play([include], ["pet-1"])) == {}
	sentences(samples.play([object.union(include, {"collection": "hostseal.core"})], ["web-1"])) == {}
	sentences(samples.play([object.union(include, {"check": true})], ["web-1"])) == {}
}

test_no_input_finds_nothing if sentences({}) == {}
