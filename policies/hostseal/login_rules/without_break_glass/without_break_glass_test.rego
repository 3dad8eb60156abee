package hostseal.login_rules.without_break_glass_test

import data.hostseal.login_rules.without_break_glass
import data.hostseal.samples_test as samples

refusals(asked) := result if {
	result := without_break_glass.refusals with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := without_break_glass.findings with input as asked with data.hostseal.site as samples.site
}

sentence := "alice logs in without break-glass, and web-1 is immutable."

test_a_person_is_refused_in_both_phases if {
	every asked in [samples.login(samples.alice, null), samples.session_login(samples.alice, null)] {
		refusals(asked) == {concat(" ", [sentence, "Ask carol."])}
		{finding.message | some finding in findings(asked)} == {sentence}
	}
}

test_automation_is_known_by_its_account_and_then_by_its_key if {
	refusals(samples.login(samples.deploy, null)) == set()
	refusals(samples.session_login(samples.deploy, null)) == set()
	stranger := object.union(samples.deploy, {"key": {"fingerprint": "SHA256:stranger"}})
	count(refusals(samples.session_login(stranger, null))) == 1
}

test_break_glass_is_not_refused_here if {
	refusals(samples.login(samples.alice, samples.certificate)) == set()
}

test_a_certificate_of_another_authority_is_no_break_glass if {
	other := object.union(samples.certificate, {"ca_fingerprint": "SHA256:other"})
	count(refusals(samples.login(samples.alice, other))) == 1
}

test_a_mutable_host_is_open if {
	refusals(samples.on_host(samples.login(samples.alice, null), "pet-1")) == set()
}

test_a_host_whose_class_nobody_knows_is_not_open if {
	site := object.union(samples.site, {"hosts": {"odd-1": {"mode": "enforce", "class": "imutable"}}})
	asked := samples.on_host(samples.login(samples.alice, null), "odd-1")
	refused := without_break_glass.refusals with input as asked with data.hostseal.site as site
	count(refused) == 1
}

test_no_input_refuses_nobody if {
	refusals({}) == set()
	findings({}) == set()
}
