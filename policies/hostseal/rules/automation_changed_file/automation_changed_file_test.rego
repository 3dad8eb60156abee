package hostseal.rules.automation_changed_file_test

import data.hostseal.rules.automation_changed_file
import data.hostseal.samples_test as samples

findings(asked) := result if {
	result := automation_changed_file.findings with input as asked with data.hostseal.site as samples.site
}

by_deploy := samples.changed(samples.by_session(samples.deploy), ["/etc/hosts"])

test_automations_change_is_on_record if {
	findings(by_deploy) == {{
		"rule": "automation_changed_file",
		"severity": "low",
		"message": "deploy (key SHA256:deploy) from 192.0.2.7, by /usr/bin/vim, changed 1 sealed file: /etc/hosts.",
		"controls": ["NIST CM-3", "NIST SI-7", "PCI 6.5", "PCI 11.5", "CIS 4.1", "SOC2 CC8.1"],
	}}
}

test_a_person_is_declined if {
	findings(samples.changed(samples.by_session(samples.alice), ["/etc/hosts"])) == set()
}

test_what_flags_the_host_is_declined if {
	site := samples.site_with({"automation_changes": "flag"})
	automation_changed_file.findings == set() with input as by_deploy with data.hostseal.site as site
}

test_what_does_not_count_is_declined if {
	touched := samples.changed_but(samples.by_session(samples.deploy), {"seal": "touched"})
	findings(touched) == set()
}

test_by_default_automations_change_is_no_finding if {
	site := object.union(data.hostseal.site, {"automation": samples.site.automation})
	automation_changed_file.findings == set() with input as by_deploy with data.hostseal.site as site
}

test_no_input_finds_nothing if findings({}) == set()
