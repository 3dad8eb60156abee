package hostseal.controller_test

import data.hostseal.play

# What a controller posts, but for what no rule reads.
job := {
	"id": 133,
	"name": "Patch the web servers",
	"job_type": "run",
	"launch_type": "manual",
	"limit": "web-1",
	"inventory": {"id": 3, "name": "Production web"},
	"job_template": {"id": 68, "name": "Patch the web servers", "job_type": "run"},
	"playbook": "patch.yml",
	"project": {"id": 10, "name": "Operations", "scm_url": "https://git.example.org/operations.git", "scm_branch": "main"},
	"scm_branch": "",
	"scm_revision": "",
}

site := {
	"default": {"mode": "observe", "class": "immutable"},
	"groups": {
		"fronts": {"mode": "flag"},
		"pets": {"mode": "enforce", "class": "mutable"},
		"labs": {},
		"builders": {"mode": "flag"},
		"mixed": {},
	},
	"hosts": {"web-9": {"mode": "enforce", "groups": ["mixed"]}},
	"gate": {"build_groups": ["builders"]},
	"controller": {
		"inventories": {
			"Production web": {"groups": ["fronts"]},
			"Pets": {"groups": ["pets"]},
			"Labs": {"groups": ["labs"]},
			"Builders": {"groups": ["builders"]},
			"Mixed": {"groups": ["labs", "mixed"]},
			"Routers": {"groups": []},
			"Switches": {"id": 7, "groups": []},
		},
		"allowed": [{
			"template": "Replace a host",
			"playbook": "replace.yml",
			"project": "Operations",
			"scm_url": "https://git.example.org/operations.git",
			"scm_branch": "main",
		}],
	},
}

decided(asked) := result if {
	result := play.decision with input as asked with data.hostseal.site as site
}

job_but(changes) := object.union(job, changes)

in_inventory(name) := job_but({"inventory": {"name": name}})

refused := concat("", [
	`The job "Patch the web servers" runs patch.yml on the inventory "Production web", which holds immutable hosts. `,
	"Run it in check mode, build a new image with the change and replace the hosts, or have the site allow this job.",
])

test_a_job_on_sealed_hosts_is_refused if {
	decided(job) == {
		"allowed": false,
		"violations": [refused],
		"findings": [{
			"rule": "job_on_sealed_hosts",
			"severity": "high",
			"message": refused,
			"controls": ["NIST CM-3", "NIST CM-5", "PCI 6.5", "CIS 4.1", "SOC2 CC8.1"],
		}],
		"actions": ["refuse"],
		"would": [],
		"deadline_seconds": null,
	}
}

test_check_mode_is_allowed if {
	decision := decided(job_but({"job_type": "check"}))
	[decision.allowed, decision.findings, decision.would] == [true, [], []]
}

test_hosts_that_are_only_observed_say_what_would_be if {
	decision := decided(in_inventory("Labs"))
	[decision.allowed, decision.violations, decision.would] == [true, [], ["refuse"]]
	count(decision.findings) == 1
}

test_mutable_hosts_builders_and_what_is_no_host_are_let_through if {
	every name in ["Pets", "Builders", "Routers"] {
		decision := decided(in_inventory(name))
		[decision.allowed, decision.findings] == [true, []]
	}
}

test_one_host_of_a_group_is_enough if decided(in_inventory("Mixed")).actions == ["refuse"]

test_the_strictest_mode_of_the_site_counts_where_the_inventory_is_unknown if {
	contains(decided(in_inventory("Elsewhere")).violations[0], "which the site does not list: it may hold any host")
	contains(decided(job_but({"inventory": null})).violations[0], "on no inventory, so it may reach any host")
	lenient := object.union(
		object.remove(site, ["groups", "hosts"]),
		{"groups": {}, "hosts": {}, "controller": {"inventories": {}, "allowed": []}},
	)
	decision := play.decision with input as job with data.hostseal.site as lenient
	[decision.allowed, decision.would] == [true, ["refuse"]]
}

replacing := job_but({"job_template": {"name": "Replace a host"}, "playbook": "replace.yml"})

test_a_job_that_the_site_allows_runs if {
	decision := decided(replacing)
	[decision.allowed, decision.findings] == [true, []]
	decided(object.union(replacing, {"scm_branch": "main"})).allowed
}

test_it_is_allowed_as_a_whole_only if {
	every change in [
		{"job_template": {"name": "Patch the web servers"}},
		{"job_template": null},
		{"playbook": "patch.yml"},
		{"project": {"name": "Mine"}},
		{"project": {"scm_url": "https://git.example.org/mine.git"}},
		{"project": {"scm_branch": "mine"}},
		{"project": null},
		{"scm_branch": "mine"},
	] {
		decided(object.union(replacing, change)).allowed == false
	}
}

test_a_limit_is_not_believed if decided(job_but({"limit": "pet-1"})).allowed == false

test_a_job_that_cannot_be_judged_is_refused if {
	every why, wrong in {
		"name is missing": object.remove(job, ["name"]),
		"job_type is none of run, check": job_but({"job_type": "scan"}),
		"playbook is null, not a text": job_but({"playbook": null}),
		"inventory is a text, not null or an object": job_but({"inventory": "Pets"}),
		"inventory.name is a number, not a text": job_but({"inventory": {"name": 7}}),
		"job_template.name is missing": object.union(object.remove(job, ["job_template"]), {"job_template": {}}),
		"project.scm_url is null, not a text": job_but({"project": {"scm_url": null}}),
	} {
		decision := decided(wrong)
		decision.violations == [sprintf("The job cannot be judged: %s.", [why])]
		decision.actions == ["refuse"]
	}
}

test_a_mode_nobody_knows_is_refused if {
	broken := object.union(site, {"groups": {"fronts": {"mode": "enforse"}}})
	every name in ["Production web", "Elsewhere"] {
		decision := play.decision with input as in_inventory(name) with data.hostseal.site as broken
		decision.violations == [concat("", [
			`The job cannot be judged: "enforse" in the site's data is none of the modes observe, flag and enforce.`,
		])]
	}
}

test_an_inventory_with_an_id_is_no_other_of_its_name if {
	decided(job_but({"inventory": {"id": 7, "name": "Switches"}})).allowed
	every other in [{"id": 8, "name": "Switches"}, {"id": "7", "name": "Switches"}, {"name": "Switches"}] {
		decision := decided(json.patch(job, [{"op": "replace", "path": "/inventory", "value": other}]))
		decision.allowed == false
		contains(decision.violations[0], "which the site does not list")
	}
}
