package hostseal.rules.mutable_debt_test

import data.hostseal.rules.mutable_debt
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := mutable_debt.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

by_alice := samples.by_session(samples.alice)

on_pet(asked) := samples.on_host(asked, "pet-1")

test_drift_on_a_mutable_host_is_debt if {
	findings(on_pet(samples.changed(by_alice, ["/etc/hosts"]))) == {{
		"rule": "mutable_debt",
		"severity": "low",
		"message": concat("", [
			"pet-1 is mutable, so this is debt: alice (key SHA256:alice) from 192.0.2.7, ",
			"by /usr/bin/vim, changed /etc/hosts.",
		]),
		"controls": ["NIST CM-2", "NIST CM-3", "PCI 6.5", "CIS 4.1", "SOC2 CC8.1"],
	}}
}

test_a_scan_finds_debt_too if {
	messages(on_pet(samples.found("content", ["/a", "/b", "/c", "/d"]))) == {
		"pet-1 is mutable, so this is debt: Somebody unseen changed /a, /b, /c and 1 more.",
	}
}

test_paths_that_are_only_counted_are_debt if {
	counted := samples.but(samples.changed(by_alice, []), {"count": 900, "truncated": true})
	messages(on_pet(counted)) == {concat("", [
		"pet-1 is mutable, so this is debt: alice (key SHA256:alice) from 192.0.2.7, by /usr/bin/vim, ",
		"changed files that are only counted.",
	])}
}

test_an_immutable_host_has_no_debt if findings(samples.changed(by_alice, ["/etc/hosts"])) == set()

test_what_is_expected_is_no_debt if {
	findings(on_pet(samples.changed(samples.by_session(samples.deploy), ["/etc/hosts"]))) == set()
	findings(on_pet(samples.changed_but(by_alice, {"seal": "touched"}))) == set()
	by_deploy := samples.changed(samples.by_session(samples.deploy), [])
	findings(on_pet(samples.but(by_deploy, {"count": 900, "truncated": true}))) == set()
}

test_a_hostile_path_is_quoted if {
	some message in messages(on_pet(samples.changed(by_alice, ["/a\n{{ 7*6 }}"])))
	endswith(message, `changed "/a\n{{ 7*6 }}".`)
}

test_no_input_finds_nothing if {
	findings({}) == set()
}
