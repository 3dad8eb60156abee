package hostseal.rules.package_upgraded_test

import data.hostseal.rules.package_upgraded
import data.hostseal.samples_test as samples

findings(asked) := result if {
	result := package_upgraded.findings with input as asked with data.hostseal.site as samples.site
}

upgraded := samples.changed(samples.by_upgrade, ["/usr/bin/week"])

test_an_upgrade_is_named_where_the_site_wants_it if {
	findings(upgraded) == {{
		"rule": "package_upgraded",
		"severity": "low",
		"message": concat("", [
			"The program /usr/bin/dpkg (uid 0) of apt-daily-upgrade.service changed ",
			"1 sealed file: /usr/bin/week.",
		]),
		"controls": ["NIST CM-3", "NIST SI-2", "PCI 6.3", "CIS 7.3", "SOC2 CC8.1"],
	}}
}

test_an_upgrade_that_is_allowed_or_flags_is_declined if {
	every answer in ["allow", "flag"] {
		site := samples.site_with({"package_upgrades": answer})
		package_upgraded.findings == set() with input as upgraded with data.hostseal.site as site
	}
}

test_what_changed_nothing_is_declined if {
	findings(samples.changed_but(samples.by_upgrade, {"seal": "touched"})) == set()
}

test_another_program_is_declined if findings(samples.changed(samples.by_program, ["/usr/bin/week"])) == set()

test_no_input_finds_nothing if findings({}) == set()
