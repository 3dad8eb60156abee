package hostseal.rules.weak_key_test

import data.hostseal.rules.weak_key
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := weak_key.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

by_key(changes) := samples.opened(object.union(samples.alice, {"key": changes}))

login := "alice (key SHA256:alice) from 192.0.2.7"

test_a_type_that_is_not_allowed_is_found if {
	findings(by_key({"type": "ssh-dss"})) == {{
		"rule": "weak_key",
		"severity": "medium",
		"message": sprintf("%s used a key of type ssh-dss, which is not allowed.", [login]),
		"controls": ["NIST IA-5", "NIST SC-13", "PCI 8.3", "CIS 3.10", "SOC2 CC6.1"],
	}}
	count(findings(by_key({"type": "ecdsa-sha2-nistp256"}))) == 1
}

test_a_certificate_is_as_strong_as_its_key if {
	findings(by_key({"type": "ssh-ed25519-cert-v01@openssh.com"})) == set()
	count(findings(by_key({"type": "ssh-dss-cert-v01@openssh.com"}))) == 1
	security_keys := {"weak_key": {"types": {"sk-ssh-ed25519": true}}}
	every type in ["sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com"] {
		on_site(by_key({"type": type}), security_keys) == set()
	}
}

test_an_rsa_key_needs_its_bits if {
	messages(by_key({"type": "ssh-rsa", "bits": 2048})) == {
		sprintf("%s used a key of only 2048 bits; RSA keys need 3072.", [login]),
	}
	findings(by_key({"type": "ssh-rsa", "bits": 3072})) == set()
	findings(by_key({"type": "ssh-rsa", "bits": null})) == set()
	findings(by_key({"type": "ssh-ed25519", "bits": 256})) == set()
}

test_a_type_that_is_not_known_is_found if {
	messages(by_key({"type": null})) == {sprintf("%s used a key of a type that is not known.", [login])}
}

test_automations_weak_key_is_weak_too if {
	count(findings(samples.opened(object.union(samples.deploy, {"key": {"type": "ssh-dss"}})))) == 1
}

test_a_password_and_other_events_are_declined if {
	findings(samples.opened(object.union(samples.alice, {"key": null}))) == set()
	findings(by_key({"method": "password", "type": null, "fingerprint": null})) == set()
	findings(samples.about("session.closed", by_key({"type": "ssh-dss"}).event.data)) == set()
}

test_a_hostile_type_is_quoted if {
	messages(by_key({"type": "bad\n{{ 7*6 }}"})) == {
		sprintf("%s used a key of type \"bad\\n{{ 7*6 }}\", which is not allowed.", [login]),
	}
}

test_no_input_finds_nothing if {
	findings({}) == set()
}

test_a_key_is_weak_for_one_reason_at_a_time if {
	found := on_site(by_key({"type": "ssh-rsa", "bits": 1024}), {"weak_key": {"types": {"ssh-rsa": false}}})
	{finding.message | some finding in found} == {
		sprintf("%s used a key of type ssh-rsa, which is not allowed.", [login]),
	}
}
