package hostseal.rules.login_window_test

import data.hostseal.rules.login_window
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := login_window.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

# The samples' event is of Friday, the 2nd of January 2026, at 03:04:05 UTC; web-1 is of the group fronts.
opened := samples.opened(samples.alice)

at(moment) := object.union(opened, {"event": {"time": moment}})

office := {"friday": [{"from": 8, "to": 12}, {"from": 13, "to": 18}]}

in_window(asked, windows) := {finding.message |
	some finding in on_site(asked, {"login_window": windows})
}

by_group := {"default": null, "groups": {"fronts": office}}

test_a_login_outside_the_groups_hours_is_found if {
	on_site(opened, {"login_window": by_group}) == {{
		"rule": "login_window",
		"severity": "medium",
		"message": concat(" ", [
			"alice (key SHA256:alice) from 192.0.2.7 logged in on a Friday at 03:04 UTC,",
			"outside the hours of fronts.",
		]),
		"controls": ["NIST AC-2", "NIST AC-3", "PCI 7.2", "CIS 6.8", "SOC2 CC6.3"],
	}}
}

test_hours_begin_on_time_and_end_on_time if {
	every moment in ["08:00:00", "11:59:59", "13:00:00", "17:59:59"] {
		in_window(at(sprintf("2026-01-02T%s.000000Z", [moment])), by_group) == set()
	}
	every moment in ["07:59:59", "12:00:00", "18:00:00"] {
		count(in_window(at(sprintf("2026-01-02T%s.000000Z", [moment])), by_group)) == 1
	}
}

test_a_day_that_is_not_named_has_no_hours if {
	count(in_window(at("2026-01-03T09:00:00.000000Z"), by_group)) == 1
}

test_a_host_of_several_groups_is_open_where_all_are if {
	shared := {
		"hosts": {"web-1": {"groups": ["fronts", "builders"]}},
		"login_window": {"default": null, "groups": {"fronts": office, "builders": {}}},
	}
	found := on_site(at("2026-01-02T09:00:00.000000Z"), shared)
	{finding.message | some finding in found} == {concat(" ", [
		"alice (key SHA256:alice) from 192.0.2.7 logged in on a Friday at 09:00 UTC,",
		"outside the hours of builders.",
	])}
}

test_the_default_is_for_hosts_whose_groups_have_none if {
	everywhere := {"default": office, "groups": {"builders": {}}}
	in_window(opened, everywhere) == {concat(" ", [
		"alice (key SHA256:alice) from 192.0.2.7 logged in on a Friday at 03:04 UTC,",
		"outside the hours of the site.",
	])}
	in_window(at("2026-01-02T09:00:00.000000Z"), everywhere) == set()
	lab := samples.on_host(at("2026-01-02T09:00:00.000000Z"), "lab-1")
	in_window(lab, {"default": office, "groups": {}}) == set()
	count(in_window(samples.on_host(opened, "lab-1"), {"default": office, "groups": {}})) == 1
}

test_without_hours_any_time_will_do if findings(opened) == set()

test_automation_comes_at_any_time if in_window(samples.opened(samples.deploy), by_group) == set()

test_without_a_time_nothing_is_said if {
	in_window(json.remove(opened, ["event/time"]), by_group) == set()
	in_window(at("tomorrow"), by_group) == set()
}

test_a_hostile_name_is_quoted if {
	some message in in_window(samples.opened(object.union(samples.alice, {"user": "bad\n{{ 7*6 }}"})), by_group)
	startswith(message, "\"bad\\n{{ 7*6 }}\" (key SHA256:alice)")
}

test_no_input_finds_nothing if {
	findings({}) == set()
}

test_other_events_are_declined if {
	in_window(samples.about("session.closed", samples.alice), by_group) == set()
}
