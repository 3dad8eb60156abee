package hostseal.exemption_test

import data.hostseal.exemption
import data.hostseal.samples_test as samples

shell := samples.channel(samples.alice, "shell", "pts/0")

some_exemption := {
	"id": "EX-1",
	"owner": "carol",
	"reason": "a migration",
	"expires": "2026-01-02T03:04:06Z",
}

with_some(changes) := [object.union(some_exemption, changes)]

of(asked, exemptions) := result if {
	site := samples.site_with({"exemptions": exemptions})
	result := exemption.of("some_rule") with input as asked with data.hostseal.site as site
}

expired(asked, exemptions) := result if {
	site := samples.site_with({"exemptions": exemptions})
	result := exemption.expired("some_rule") with input as asked with data.hostseal.site as site
}

test_each_way_to_name_what_is_exempted if {
	every subject in ["all", "host:web-1", "group:fronts", "user:alice"] {
		of(shell, {"some_rule": {subject: [some_exemption]}}) == "EX-1"
	}
}

test_another_rule_host_group_or_user_is_not if {
	not of(shell, {"another_rule": {"all": [some_exemption]}})
	every subject in ["host:web-2", "group:builders", "user:bob", "everybody", "web-1"] {
		not of(shell, {"some_rule": {subject: [some_exemption]}})
	}
}

test_a_slots_exemption_covers_its_generations_and_one_of_a_generation_only_it if {
	successor := samples.on_host(shell, "web-1-g2")
	of(successor, {"some_rule": {"host:web-1": [some_exemption]}}) == "EX-1"
	of(successor, {"some_rule": {"host:web-1-g2": [some_exemption]}}) == "EX-1"
	not of(successor, {"some_rule": {"host:web-1-g1": [some_exemption]}})
}

test_a_host_cannot_claim_a_group if {
	claiming := object.union(samples.on_host(shell, "lab-1"), {"event": {"host": {"groups": ["fronts"]}}})
	not of(claiming, {"some_rule": {"group:fronts": [some_exemption]}})
}

test_it_ends_at_its_time if {
	every expires in ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z", "2025-12-31T00:00:00Z"] {
		ended := with_some({"expires": expires})
		not of(shell, {"some_rule": {"all": ended}})
		expired(shell, {"some_rule": {"all": ended}}) == {ended[0]}
	}
}

test_one_that_has_not_ended_is_not_told_of if not expired(shell, {"some_rule": {"all": [some_exemption]}})

test_an_expired_one_is_not_told_of_where_another_covers if {
	not expired(shell, {"some_rule": {
		"all": [some_exemption],
		"host:web-1": with_some({"id": "EX-0", "expires": "2026-01-01T00:00:00Z"}),
	}})
}

test_of_several_the_first_by_name_is_told if {
	exemptions := {"some_rule": {"all": array.concat(with_some({"id": "EX-9"}), with_some({"id": "EX-10"}))}}
	of(shell, exemptions) == "EX-10"
}

test_without_a_time_or_with_a_spoilt_one_nothing_is_exempted if {
	not of(json.remove(shell, ["event/time"]), {"some_rule": {"all": [some_exemption]}})
	not of(shell, {"some_rule": {"all": with_some({"expires": "tomorrow"})}})
	not of({}, {"some_rule": {"all": [some_exemption]}})
}

test_a_user_must_be_certain if {
	changed := samples.changed(samples.by_session(samples.alice), ["/etc/hosts"])
	of(changed, {"some_rule": {"user:alice": [some_exemption]}}) == "EX-1"
	guessed := samples.but(changed, {"confidence": "inferred"})
	not of(guessed, {"some_rule": {"user:alice": [some_exemption]}})
	came_of := samples.changed(samples.by_laid(samples.alice), ["/etc/hosts"])
	not of(came_of, {"some_rule": {"user:alice": [some_exemption]}})
}

on_paths(asked, patterns) := of(asked, {"some_rule": {"all": with_some({"paths": patterns})}})

test_every_path_that_counts_must_match if {
	two := samples.changed(samples.by_program, ["/etc/nginx/nginx.conf", "/etc/nginx/conf.d/a.conf"])
	on_paths(two, ["/etc/nginx/**"]) == "EX-1"
	on_paths(two, ["/etc/nginx/*", "/etc/nginx/conf.d/*.conf"]) == "EX-1"
	not on_paths(two, ["/etc/nginx/*"])
	not on_paths(two, ["/etc/nginx/conf.d/*"])
	not on_paths(two, [])
	not on_paths(two, ["[/etc"])
}

test_a_path_that_does_not_count_need_not_match if {
	one := samples.changed_but(samples.by_program, {"path": "/etc/motd"})
	own := object.union(samples.changed_path("/var/log/x"), {"seal": "own"})
	both := samples.but(one, {"paths": array.concat(one.event.data.paths, [own])})
	on_paths(both, ["/etc/motd"]) == "EX-1"
}

test_what_was_laid_must_match_too if {
	laid := {"path": "/root/.ssh/authorized_keys", "seal": "own", "lays": "authorized_keys"}
	change := samples.changed_but(samples.by_session(samples.alice), laid)
	on_paths(change, ["/root/.ssh/**"]) == "EX-1"
	not on_paths(change, ["/etc/**"])
}

test_paths_that_are_only_counted_match_nothing if {
	change := samples.changed(samples.by_program, ["/etc/motd"])
	not on_paths(samples.but(change, {"truncated": true}), ["/**"])
	not on_paths(samples.but(change, {"paths": []}), ["/**"])
}

test_a_scans_differences_have_paths_as_well if {
	on_paths(samples.broken, ["/etc/issue"]) == "EX-1"
	not on_paths(samples.broken, ["/etc/motd"])
	not on_paths(samples.but(samples.broken, {"truncated": true}), ["/etc/issue"])
}

test_what_is_not_about_files_has_no_paths if not on_paths(shell, ["/**"])
