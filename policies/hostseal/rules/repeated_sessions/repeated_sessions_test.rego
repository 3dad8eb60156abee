package hostseal.rules.repeated_sessions_test

import data.hostseal.rules.repeated_sessions
import data.hostseal.samples_test as samples

shell := samples.channel(samples.alice, "shell", "pts/0")

past(event, moment) := {"rule": "interactive_session", "time": moment, "event": event}

two_today := [past("e1", "2026-01-01T03:04:05.000000Z"), past("e2", "2026-01-02T03:00:00.000000Z")]

after(recent) := object.union(shell, {"standing": {"recent": recent}})

with_site(asked, changes) := {"asks": asks, "findings": findings} if {
	site := samples.site_with(object.union({"repeated_sessions": {"count": 3, "within_seconds": 86400}}, changes))
	asks := repeated_sessions.asks with input as asked with data.hostseal.site as site
	findings := repeated_sessions.findings with input as asked with data.hostseal.site as site
}

nothing := {"asks": set(), "findings": set()}

test_the_third_session_in_a_day_is_critical_and_flags if {
	with_site(after(two_today), {}) == {"asks": {"flag"}, "findings": {{
		"rule": "repeated_sessions",
		"severity": "critical",
		"message": concat("", [
			"alice (key SHA256:alice) from 192.0.2.7 opened an interactive shell, ",
			"interactive session 3 on this host within 24 hours.",
		]),
		"controls": ["NIST CM-5", "NIST AU-6", "PCI 10.4", "CIS 8.11", "SOC2 CC7.2"],
	}}}
}

test_the_second_is_declined if with_site(after([two_today[0]]), {}) == nothing

test_what_is_older_than_the_time_named_does_not_count if {
	with_site(after([past("e0", "2026-01-01T03:04:04.999999Z"), two_today[1]]), {}) == nothing
	with_site(after(two_today), {"repeated_sessions": {"count": 3, "within_seconds": 3600}}) == nothing
}

test_the_sites_data_says_how_many_within_what_time if {
	found := with_site(after(two_today), {"repeated_sessions": {"count": 2, "within_seconds": 5400}})
	found.asks == {"flag"}
	some finding in found.findings
	endswith(finding.message, ", interactive session 2 on this host within 90 minutes.")
}

test_an_event_counts_once_and_never_for_itself if {
	with_site(after([two_today[0], two_today[0], past(shell.event.id, shell.event.time)]), {}) == nothing
}

test_findings_of_other_rules_do_not_count if {
	others := [object.union(one, {"rule": "person_connected"}) | some one in two_today]
	with_site(after(others), {}) == nothing
}

test_a_command_after_two_sessions_is_declined if {
	command := samples.channel(samples.alice, "command", null)
	with_site(object.union(command, {"standing": {"recent": two_today}}), {}) == nothing
}

test_automation_is_exempt if {
	automation := samples.channel(samples.deploy, "shell", "pts/0")
	with_site(object.union(automation, {"standing": {"recent": two_today}}), {}) == nothing
}

test_a_session_that_is_exempted_or_whose_rule_is_off_is_declined if {
	covering := {"id": "EX-1", "owner": "carol", "reason": "a drill", "expires": "2027-01-01T00:00:00Z"}
	with_site(after(two_today), {"exemptions": {"interactive_session": {"user:alice": [covering]}}}) == nothing
	with_site(after(two_today), {"rules": {"interactive_session": {"enabled": false}}}) == nothing
}

test_a_question_without_a_history_is_declined if {
	with_site(shell, {}) == nothing
	with_site({}, {}) == nothing
}
