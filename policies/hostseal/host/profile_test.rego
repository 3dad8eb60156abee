package hostseal.host_test

import data.hostseal.host

site := {
	"default": {"mode": "observe", "class": "immutable"},
	"groups": {
		"fronts": {"mode": "flag"},
		"vaults": {"mode": "enforce", "class": "immutable"},
		"legacy": {"class": "mutable"},
		"plain": {},
	},
	"hosts": {
		"own": {"mode": "observe", "class": "mutable", "groups": ["vaults"]},
		"grouped": {"groups": ["fronts"]},
		"strict": {"groups": ["fronts", "vaults"]},
		"old": {"groups": ["vaults", "legacy"]},
		"bare": {"groups": ["plain"]},
	},
}

profile(name) := result if {
	result := host.profile with input as {"host": {"name": name, "machine_id": "x"}}
		with data.hostseal.site as site
}

test_what_is_said_of_the_host_goes_first if {
	profile("own") == {"mode": "observe", "class": "mutable", "groups": ["vaults"]}
}

test_a_group_goes_before_the_default if {
	profile("grouped") == {"mode": "flag", "class": "immutable", "groups": ["fronts"]}
}

test_of_several_groups_the_strictest_mode_counts if {
	profile("strict") == {"mode": "enforce", "class": "immutable", "groups": ["fronts", "vaults"]}
}

test_one_mutable_group_is_enough if {
	profile("old") == {"mode": "enforce", "class": "mutable", "groups": ["vaults", "legacy"]}
}

test_a_group_that_says_nothing_leaves_the_default if {
	profile("bare") == {"mode": "observe", "class": "immutable", "groups": ["plain"]}
}

test_an_unknown_host_is_the_default if {
	profile("nobody-knows-it") == {"mode": "observe", "class": "immutable", "groups": []}
}

test_no_name_has_no_profile if {
	not host.profile with input as {} with data.hostseal.site as site
	not profile(7)
}

test_a_slot_covers_its_generations if {
	profile("own-g12") == profile("own")
	profile("own-g") == profile("nobody-knows-it")
	profile("own-g1-g2") == profile("nobody-knows-it")
}

test_a_generation_listed_itself_goes_before_its_slot if {
	listed := object.union(site, {"hosts": {"own-g2": {"class": "immutable"}}})
	found := host.profile with input as {"host": {"name": "own-g2"}} with data.hostseal.site as listed
	found == {"mode": "observe", "class": "immutable", "groups": []}
}

test_a_groups_word_that_nobody_knows_is_seen_and_never_passed_over_for_the_default if {
	site := object.union(data.hostseal.site, {
		"default": {"mode": "observe", "class": "mutable"},
		"groups": {"odd": {"mode": "enfroce", "class": "imutable"}, "fine": {"mode": "flag", "class": "immutable"}},
		"hosts": {"a": {"groups": ["odd"]}, "b": {"groups": ["fine", "odd"]}, "c": {"mode": "flag", "groups": ["odd"]}},
	})
	modes := {name: found.mode |
		some name in ["a", "b", "c"]
		found := host.of(name) with data.hostseal.site as site
	}
	modes == {"a": "enfroce", "b": "enfroce", "c": "flag"}
}
