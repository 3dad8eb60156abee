package hostseal.rules.persistence_laid_test

import data.hostseal.rules.persistence_laid
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := persistence_laid.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := persistence_laid.findings with input as asked with data.hostseal.site as samples.site
}

messages(asked) := {finding.message | some finding in findings(asked)}

by_alice := samples.by_session(samples.alice)

keys := {"path": "/home/alice/.ssh/authorized_keys", "seal": "own", "lays": "authorized_keys"}

test_a_cron_job_of_a_persons_flags_the_host if {
	asked := samples.changed_but(by_alice, {"path": "/etc/cron.d/x", "lays": "cron"})
	asks(asked) == {"flag"}
	findings(asked) == {{
		"rule": "persistence_laid",
		"severity": "critical",
		"message": concat("", [
			"alice (key SHA256:alice) from 192.0.2.7, by /usr/bin/vim, laid what outlives the session: ",
			"/etc/cron.d/x (a cron job).",
		]),
		"controls": ["NIST CM-5", "NIST AC-6", "NIST SI-7", "PCI 11.5", "CIS 13.2", "SOC2 CC6.8"],
	}}
}

test_keys_count_though_they_are_the_hosts_own if {
	asks(samples.changed_but(by_alice, keys)) == {"flag"}
	asks(samples.changed_but(by_alice, object.union(keys, {"seal": "by_design"}))) == {"flag"}
}

test_what_is_as_the_seal_says_or_only_gone_is_declined if {
	asks(samples.changed_but(by_alice, object.union(keys, {"seal": "touched"}))) == set()
	asks(samples.changed_but(by_alice, object.union(keys, {"what": ["deleted"]}))) == set()
	asks(samples.changed_but(by_alice, object.union(keys, {"what": ["deleted", "created"]}))) == {"flag"}
}

test_a_file_that_is_just_a_file_is_declined if asks(samples.changed(by_alice, ["/etc/hosts"])) == set()

test_what_something_laid_lays_goes_back_to_its_session if {
	asked := samples.changed_but(samples.by_laid(samples.alice), {"path": "/etc/sudoers.d/x", "lays": "later kind"})
	messages(asked) == {concat("", [
		"The program /usr/bin/dash (uid 0), started by /etc/cron.d/x that ",
		"alice (key SHA256:alice) from 192.0.2.7 laid, laid what outlives the session: ",
		"/etc/sudoers.d/x (something that starts again).",
	])}
}

test_automation_is_declined if {
	asks(samples.changed_but(samples.by_session(samples.deploy), keys)) == set()
	asks(samples.changed_but(samples.by_laid(samples.deploy), keys)) == set()
}

test_a_program_without_a_session_is_declined if asks(samples.changed_but(samples.by_program, keys)) == set()

test_nobody_is_accused_on_a_guess if {
	guessed := samples.but(samples.changed_but(by_alice, keys), {"confidence": "unknown"})
	asks(guessed) == set()
}

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}
