package hostseal.writer_test

import data.hostseal.samples_test as samples
import data.hostseal.writer

described(asked) := result if {
	result := writer.described with input as asked with data.hostseal.site as samples.site
}

by_alice := samples.changed(samples.by_session(samples.alice), ["/etc/hosts"])

test_a_session_with_its_program if {
	described(by_alice) == "alice (key SHA256:alice) from 192.0.2.7, by /usr/bin/vim,"
}

test_a_session_without_a_program if {
	described(samples.but(by_alice, {"writer": {"exe": null}})) == "alice (key SHA256:alice) from 192.0.2.7"
}

test_a_guess_is_worded_as_one if {
	asked := samples.but(by_alice, {"confidence": "inferred"})
	described(asked) == "Probably alice (key SHA256:alice) from 192.0.2.7, by /usr/bin/vim,"
}

test_nobody_is_named_on_less_than_a_guess if {
	described(samples.but(by_alice, {"confidence": "unknown"})) == "An unknown writer"
}

test_a_program_with_its_user if {
	described(samples.changed(samples.by_program, ["/a"])) == "The program /usr/bin/dpkg (uid 0)"
}

test_a_program_without_a_user if {
	asked := samples.but(samples.changed(samples.by_program, ["/a"]), {"writer": {"uid": null}})
	described(asked) == "The program /usr/bin/dpkg"
}

test_an_action if described(samples.changed(samples.by_action, ["/a"])) == "The playbook action flag"

test_nobody_known if {
	asked := samples.but(samples.changed(samples.by_program, ["/a"]), {"writer": {"kind": "unknown"}})
	described(asked) == "An unknown writer"
}

test_no_input_is_nobodys if {
	not writer.own_action with input as {}
	not writer.automation_session with input as {} with data.hostseal.site as samples.site
}
