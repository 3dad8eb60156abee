package hostseal.play_rules.job_on_sealed_hosts_test

import data.hostseal.play_rules.job_on_sealed_hosts as rule

job := {
	"name": "Patch",
	"job_type": "run",
	"inventory": {"name": "Web"},
	"job_template": {"name": "Patch"},
	"playbook": "patch.yml",
	"project": {"name": "Operations", "scm_url": "https://git.example.org/o.git", "scm_branch": "main"},
	"scm_branch": "",
}

site := {
	"default": {"mode": "observe", "class": "immutable"},
	"groups": {"fronts": {"mode": "flag"}},
	"hosts": {},
	"gate": {"build_groups": []},
	"controller": {"allowed": [], "inventories": {"Web": {"groups": ["fronts"]}}},
}

sentences(asked) := result if {
	result := rule.sentences with input as asked with data.hostseal.site as site
}

test_it_fires if {
	startswith(sentences(job).refused, "The job Patch runs patch.yml on the inventory Web, which holds immutable hosts.")
	findings := rule.findings with input as job with data.hostseal.site as site
	{finding.rule | some finding in findings} == {"job_on_sealed_hosts"}
}

test_it_declines_check_mode if sentences(object.union(job, {"job_type": "check"})) == {}

test_names_are_quoted if {
	contains(sentences(object.union(job, {"name": "a\u001b[2Jb"})).refused, `The job "a\x1b[2Jb" runs`)
}

test_no_input_is_nothing_to_it if {
	sentences({}) == {}
	sentences({"play": {}}) == {}
}
