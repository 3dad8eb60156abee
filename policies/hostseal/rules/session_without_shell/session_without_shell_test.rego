package hostseal.rules.session_without_shell_test

import data.hostseal.rules.session_without_shell
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := session_without_shell.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := session_without_shell.findings with input as asked with data.hostseal.site as samples.site
}

test_commands_subsystems_and_forwarding_lift_the_suspicion if {
	every kind in ["command", "sftp", "scp", "subsystem", "forward"] {
		asks(samples.standing(samples.channel(samples.alice, kind, null), "suspect")) == {"lift"}
	}
}

test_it_is_on_record if {
	findings(samples.channel(samples.alice, "command", null)) == {{
		"rule": "session_without_shell",
		"severity": "low",
		"message": "alice (key SHA256:alice) from 192.0.2.7 ran a command without a terminal.",
		"controls": ["NIST AC-17", "PCI 10.2", "CIS 8.5", "SOC2 CC6.1"],
	}}
}

test_a_flag_stays if {
	asked := samples.standing(samples.channel(samples.alice, "command", null), "flagged")
	asks(asked) == set()
	count(findings(asked)) == 1
}

test_a_shell_is_declined if {
	asks(samples.channel(samples.alice, "shell", "pts/0")) == set()
	findings(samples.channel(samples.alice, "shell", "pts/0")) == set()
}

test_automation_is_exempt if findings(samples.channel(samples.deploy, "command", null)) == set()

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}
