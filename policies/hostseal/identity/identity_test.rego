package hostseal.identity_test

import data.hostseal.identity
import data.hostseal.samples_test as samples

account_only := samples.site_with({"automation": {"accounts": ["deploy"], "key_fingerprints": []}})

test_account_and_key_make_automation if {
	identity.automation with input as samples.opened(samples.deploy) with data.hostseal.site as samples.site
	not identity.person with input as samples.opened(samples.deploy) with data.hostseal.site as samples.site
}

test_the_account_with_another_key_is_a_person if {
	asked := samples.opened(object.union(samples.alice, {"user": "deploy"}))
	identity.person with input as asked with data.hostseal.site as samples.site
}

test_the_account_without_a_key_is_a_person if {
	asked := samples.opened(object.union(samples.alice, {"user": "deploy", "key": null}))
	identity.person with input as asked with data.hostseal.site as samples.site
}

test_the_account_is_enough_where_no_fingerprint_is_listed if {
	asked := samples.opened(object.union(samples.alice, {"user": "deploy", "key": null}))
	identity.automation with input as asked with data.hostseal.site as account_only
}

test_the_key_in_another_account_is_a_person if {
	asked := samples.opened(object.union(samples.deploy, {"user": "alice"}))
	identity.person with input as asked with data.hostseal.site as samples.site
}

test_a_channel_takes_the_key_of_its_session if {
	asked := samples.channel(samples.deploy, "command", null)
	identity.automation with input as asked with data.hostseal.site as samples.site
}

test_a_channel_does_not_take_the_key_of_another_users_session if {
	asked := samples.but(samples.channel(samples.deploy, "command", null), {"session": {"user": "alice"}})
	identity.person with input as asked with data.hostseal.site as samples.site
}

test_a_channel_without_a_session_has_no_key if {
	asked := samples.but(samples.channel(samples.deploy, "command", null), {"session": null})
	identity.person with input as asked with data.hostseal.site as samples.site
}

test_a_program_is_neither if {
	asked := samples.changed(samples.by_program, ["/etc/hosts"])
	not identity.person with input as asked with data.hostseal.site as samples.site
	not identity.automation with input as asked with data.hostseal.site as samples.site
}

test_no_input_is_neither if {
	not identity.person with input as {} with data.hostseal.site as samples.site
	not identity.automation with input as {} with data.hostseal.site as samples.site
}
