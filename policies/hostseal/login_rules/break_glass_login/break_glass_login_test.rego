package hostseal.login_rules.break_glass_login_test

import data.hostseal.login_rules.break_glass_login
import data.hostseal.samples_test as samples

price(asked) := result if {
	result := break_glass_login.price with input as asked with data.hostseal.site as samples.site
}

messages(asked) := result if {
	result := {finding.message | some finding in break_glass_login.findings} with input as asked
		with data.hostseal.site as samples.site
}

test_break_glass_costs_the_host if {
	asked := samples.login(samples.alice, samples.certificate)
	price(asked) == 900
	count(messages(asked)) == 1
}

test_a_drill_costs_nothing if {
	command := data.hostseal.break_glass.drill_command
	drill := object.union(samples.certificate, {"critical_options": {"force-command": command}})
	not price(samples.login(samples.alice, drill))
	count(messages(samples.login(samples.alice, drill))) == 1
}

test_one_that_does_not_hold_buys_nothing if {
	asked := samples.login_but(samples.login(samples.alice, samples.certificate), {"used": true})
	not price(asked)
	messages(asked) == set()
}

test_no_input_costs_nothing if {
	not price({})
	messages({}) == set()
	break_glass_login.refusals == set()
}
