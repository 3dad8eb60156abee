package hostseal.login_rules.bad_break_glass_test

import data.hostseal.login_rules.bad_break_glass
import data.hostseal.samples_test as samples

refusals(asked) := result if {
	result := bad_break_glass.refusals with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := bad_break_glass.findings with input as asked with data.hostseal.site as samples.site
}

test_a_used_certificate_is_refused if {
	asked := samples.login_but(samples.login(samples.alice, samples.certificate), {"used": true})
	{finding.message | some finding in findings(asked)} == refusals(asked)
	some refusal in refusals(asked)
	startswith(refusal, "alice shows a break-glass certificate that does not hold. ")
}

test_anothers_certificate_is_refused if {
	bob := object.union(samples.alice, {"user": "bob"})
	count(refusals(samples.login(bob, samples.certificate))) == 1
}

test_automation_is_not_refused_for_what_is_only_offered if {
	refusals(samples.login(samples.deploy, samples.certificate)) == set()
	count(refusals(samples.session_login(samples.deploy, samples.certificate))) == 1
}

test_a_good_one_is_not if {
	refusals(samples.login(samples.alice, samples.certificate)) == set()
	findings(samples.login(samples.alice, samples.certificate)) == set()
}

test_without_a_certificate_there_is_nothing_to_say if {
	refusals(samples.login(samples.alice, null)) == set()
	refusals({}) == set()
}
