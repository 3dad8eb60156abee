package hostseal.refusal_test

import data.hostseal.refusal
import data.hostseal.samples_test as samples

sentence(asked) := result if {
	result := refusal.sentence with input as asked with data.hostseal.site as samples.site
}

test_each_cause_has_its_words if {
	every why, words in refusal.causes {
		sentence(samples.refused(why)) == concat("", [
			`Certificate "INC-1 by carol" (serial 7) was refused to alice from 192.0.2.7: `,
			words,
			".",
		])
	}
}

test_a_cause_nobody_knows_and_a_serial_that_was_cut_off if {
	asked := samples.but(samples.refused("moon"), {"serial": null})
	sentence(asked) == `Certificate "INC-1 by carol" was refused to alice from 192.0.2.7: moon.`
}

test_a_certificate_without_a_serial_is_named_all_the_same if {
	asked := json.remove(samples.refused("expired"), ["event/data/serial"])
	startswith(sentence(asked), `Certificate "INC-1 by carol" was refused to alice`)
}

test_what_was_not_reported_is_said if {
	endswith(
		sentence(samples.but(samples.refused("expired"), {"unreported": 41})),
		": it has expired (and 41 more since the last one reported).",
	)
}

test_an_address_nobody_tells_leaves_a_sentence if {
	asked := json.remove(samples.refused("revoked"), ["event/data/source"])
	endswith(sentence(asked), " was refused to alice from an unknown address: it was taken back.")
	sentence(samples.but(asked, {"source": 7})) == sentence(asked)
}

test_hostile_names_are_quoted if {
	asked := samples.but(samples.refused("expired"), {"key_id": "\u001b[31m{{ x }}\n", "user": "a b"})
	startswith(sentence(asked), `Certificate "\x1b[31m{{ x }}\n" (serial 7) was refused to "a b" from`)
}

test_no_input_means_nothing if {
	not sentence({})
	not refusal.misuse with input as {} with data.hostseal.site as samples.site
	not refusal.breaks_seal with input as {} with data.hostseal.site as samples.site
}
