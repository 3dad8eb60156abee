package hostseal.rules.break_glass_worked_test

import data.hostseal.rules.break_glass_worked
import data.hostseal.samples_test as samples

asks(asked, mode) := result if {
	result := break_glass_worked.asks with input as asked
		with data.hostseal.site as object.union(samples.site, {"hosts": {"web-1": {"mode": mode}}})
}

by(certificate) := object.union(samples.alice, {"key": {"certificate": certificate}})

test_a_channel_by_break_glass_arms_an_enforcing_host if {
	channel := samples.channel(by(samples.certificate), "command", null)
	asks(channel, "enforce") == {"arm", "flag"}
	asks(channel, "flag") == {"flag"}
	break_glass_worked.deadline == 900 with input as channel with data.hostseal.site as samples.site
}

test_a_drill_arms_and_costs_nothing if {
	command := data.hostseal.break_glass.drill_command
	drill := object.union(samples.certificate, {"critical_options": {"force-command": command}})
	channel := samples.channel(by(drill), "command", null)
	asks(channel, "enforce") == {"arm"}
	not break_glass_worked.deadline with input as channel with data.hostseal.site as samples.site
}

test_nothing_else_does if {
	asks(samples.channel(samples.alice, "shell", "pts/0"), "enforce") == set()
	asks(samples.opened(by(samples.certificate)), "enforce") == set()
	asks({}, "enforce") == set()
	other := object.union(samples.certificate, {"ca_fingerprint": "SHA256:other"})
	asks(samples.channel(by(other), "command", null), "enforce") == set()
}
