package hostseal.rules.unknown_key_test

import data.hostseal.rules.unknown_key
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := unknown_key.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

opened := samples.opened(samples.alice)

listing(asked, known) := on_site(asked, {"unknown_key": {"known": known}})

test_a_key_that_is_not_listed_is_found if {
	listing(opened, {"SHA256:bob": "bob's"}) == {{
		"rule": "unknown_key",
		"severity": "high",
		"message": "alice (key SHA256:alice) from 192.0.2.7 used a key that the site does not list.",
		"controls": ["NIST AC-2", "NIST IA-5", "PCI 8.2", "CIS 5.1", "SOC2 CC6.2"],
	}}
}

test_listed_keys_automations_and_certified_ones_are_declined if {
	listing(opened, {"SHA256:alice": "alice's"}) == set()
	listing(samples.opened(samples.deploy), {"SHA256:bob": "bob's"}) == set()
	certificate := {"certificate": {"key_id": "INC-1", "ca_fingerprint": "SHA256:glass"}}
	listing(samples.opened(object.union(samples.alice, {"key": certificate})), {"SHA256:bob": "bob's"}) == set()
}

test_without_a_list_any_key_will_do if findings(opened) == set()

test_a_password_is_no_key if {
	listing(samples.opened(object.union(samples.alice, {"key": null})), {"SHA256:bob": "bob's"}) == set()
}

test_a_key_without_a_fingerprint_is_known_to_nobody if {
	unread := samples.opened(object.union(samples.alice, {"key": {"fingerprint": null}}))
	count(listing(unread, {"SHA256:bob": "bob's"})) == 1
}

test_a_hostile_name_is_quoted if {
	found := listing(samples.opened(object.union(samples.alice, {"user": "bad\n{{ 7*6 }}"})), {"SHA256:bob": "bob's"})
	{finding.message | some finding in found} == {concat(" ", [
		"\"bad\\n{{ 7*6 }}\" (key SHA256:alice) from 192.0.2.7",
		"used a key that the site does not list.",
	])}
}

test_no_input_finds_nothing_with_a_list_either if listing({}, {"SHA256:bob": "bob's"}) == set()

test_no_input_finds_nothing if {
	findings({}) == set()
}

test_other_events_are_declined if {
	listing(samples.about("session.closed", samples.alice), {"SHA256:bob": "bob's"}) == set()
}
