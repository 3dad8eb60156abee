package hostseal.rules.privileged_account_test

import data.hostseal.rules.privileged_account
import data.hostseal.samples_test as samples

findings(asked) := result if {
	result := privileged_account.findings with input as asked with data.hostseal.site as samples.site
}

messages(asked) := {finding.message | some finding in findings(asked)}

granting(writer, grants) := samples.changed_but(writer, {"path": "/etc/passwd", "grants": grants})

toor := [{"account": "toor", "by": "uid 0"}]

test_an_account_with_user_id_0_is_found if {
	findings(granting(samples.by_program, toor)) == {{
		"rule": "privileged_account",
		"severity": "critical",
		"message": "The program /usr/bin/dpkg (uid 0) made accounts privileged: toor (uid 0).",
		"controls": [
			"NIST AC-2",
			"NIST AC-6",
			"PCI 7.2",
			"PCI 10.2",
			"CIS 5.4",
			"SOC2 CC6.2",
			"SOC2 CC6.3",
		],
	}}
}

test_the_first_three_are_named if {
	many := [{"account": name, "by": "group sudo"} | some name in ["a", "b", "c", "d", "e"]]
	messages(granting(samples.by_program, many)) == {concat("", [
		"The program /usr/bin/dpkg (uid 0) made accounts privileged: ",
		"a (group sudo), b (group sudo), c (group sudo) and 2 more.",
	])}
}

test_a_persons_is_found_and_automations_is_expected if {
	count(findings(granting(samples.by_session(samples.alice), toor))) == 1
	findings(granting(samples.by_session(samples.deploy), toor)) == set()
}

test_other_changes_and_those_of_an_older_agent_are_declined if {
	findings(granting(samples.by_program, [])) == set()
	findings(samples.changed(samples.by_program, ["/etc/passwd"])) == set()
	findings(samples.found("content", ["/etc/passwd"])) == set()
}

test_a_hostile_name_is_quoted if {
	evil := [{"account": "a\n{{ 7*6 }}", "by": "uid\n0"}]
	messages(granting(samples.by_program, evil)) == {concat("", [
		"The program /usr/bin/dpkg (uid 0) made accounts privileged: ",
		`"a\n{{ 7*6 }}" ("uid\n0").`,
	])}
}

test_no_input_finds_nothing if findings({}) == set()
