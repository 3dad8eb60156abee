package hostseal.rules.interactive_session_test

import data.hostseal.rules.interactive_session
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := interactive_session.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := interactive_session.findings with input as asked with data.hostseal.site as samples.site
}

test_a_persons_shell_flags_the_host if {
	asked := samples.channel(samples.alice, "shell", "pts/0")
	asks(asked) == {"flag"}
	findings(asked) == {{
		"rule": "interactive_session",
		"severity": "high",
		"message": "alice (key SHA256:alice) from 192.0.2.7 opened an interactive shell.",
		"controls": ["NIST CM-5", "NIST AC-17", "PCI 10.2", "CIS 4.6", "CIS 5.4", "SOC2 CC6.1"],
	}}
}

test_a_command_on_a_terminal_flags_the_host if {
	asks(samples.channel(samples.alice, "command_with_pty", "pts/0")) == {"flag"}
}

test_what_takes_commands_without_a_terminal_flags_the_host if {
	every kind in ["shell_no_pty", "interactive_command"] {
		asks(samples.channel(samples.alice, kind, null)) == {"flag"}
	}
}

test_a_session_nobody_recorded_flags_the_host if {
	asked := samples.but(samples.channel(samples.alice, "shell", "pts/0"), {"session": null})
	asks(asked) == {"flag"}
	some finding in findings(asked)
	finding.message == "alice (no key on record) from 192.0.2.7 opened an interactive shell."
}

test_the_sites_data_says_which_kinds_flag if {
	site := samples.site_with({"channel": {"command": "flag"}})
	asked := samples.channel(samples.alice, "command", null)
	interactive_session.asks == {"flag"} with input as asked with data.hostseal.site as site
}

test_a_command_is_declined if asks(samples.channel(samples.alice, "command", null)) == set()

test_automation_is_exempt if {
	asks(samples.channel(samples.deploy, "shell", "pts/0")) == set()
	findings(samples.channel(samples.deploy, "shell", "pts/0")) == set()
}

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}
