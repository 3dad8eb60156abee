package hostseal.replace_rules.image_not_current_test

import data.hostseal.replace_rules.image_not_current
import data.hostseal.samples_test as samples

messages(asked) := {finding.message | some finding in findings(asked)}

findings(asked) := result if {
	result := image_not_current.findings with input as asked with data.hostseal.site as samples.site
}

test_any_other_track_is_refused if {
	messages(samples.replacement_but({"image": {"track": "revoked"}})) == {
		"The image sha256:aa for web-1-g2 is revoked, not current. Release a current image first.",
	}
	every track in ["candidate", "deprecated", "moon\nlight"] {
		count(messages(samples.replacement_but({"image": {"track": track}}))) == 1
	}
}

test_a_host_that_may_be_replaced_is_declined if findings(samples.replacement) == set()

test_no_input_finds_nothing if findings({}) == set()
