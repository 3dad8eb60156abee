package hostseal.rules.seal_untrusted_test

import data.hostseal.rules.seal_untrusted
import data.hostseal.samples_test as samples

asks(asked) := result if {
	result := seal_untrusted.asks with input as asked with data.hostseal.site as samples.site
}

findings(asked) := result if {
	result := seal_untrusted.findings with input as asked with data.hostseal.site as samples.site
}

test_a_seal_that_cannot_be_believed_flags_the_host if {
	asks(samples.untrusted) == {"flag"}
	findings(samples.untrusted) == {{
		"rule": "seal_untrusted",
		"severity": "high",
		"message": concat("", [
			"The seal /etc/hostseal/image.seal cannot be believed (signature): ",
			"signed by another key than this one.",
		]),
		"controls": ["NIST CM-14", "NIST SI-7", "PCI 11.5", "CIS 13.2", "SOC2 CC7.1"],
	}}
}

test_a_sealed_host_is_declined if {
	asks(samples.broken) == set()
	findings(samples.broken) == set()
}

test_no_input_asks_nothing if {
	asks({}) == set()
	findings({}) == set()
}
