package hostseal.rules.package_installed_test

import data.hostseal.rules.package_installed
import data.hostseal.samples_test as samples

findings(asked) := on_site(asked, {})

on_site(asked, changes) := result if {
	result := package_installed.findings with input as asked with data.hostseal.site as samples.site_with(changes)
}

messages(asked) := {finding.message | some finding in findings(asked)}

path := "/var/lib/dpkg/status"

message := "The program /usr/bin/dpkg (uid 0) changed packages outside an image build: /etc/hosts."

test_a_package_manager_is_found_by_its_file if {
	findings(samples.changed(samples.by_program, ["/etc/hosts"])) == {{
		"rule": "package_installed",
		"severity": "medium",
		"message": message,
		"controls": ["NIST CM-11", "NIST CM-3", "PCI 6.5", "CIS 2.5", "CIS 2.3", "SOC2 CC6.8", "SOC2 CC8.1"],
	}}
}

test_or_by_its_role if {
	odd := object.union(samples.by_upgrade, {"exe": "/usr/bin/apk", "unit": "packagekit.service"})
	count(findings(samples.changed(odd, ["/etc/hosts"]))) == 1
}

test_or_by_what_it_keeps if {
	cp := object.union(samples.by_program, {"exe": "/usr/bin/cp"})
	count(findings(samples.changed(cp, [path]))) == 1
	findings(samples.changed(cp, ["/etc/hosts"])) == set()
}

test_persons_and_automation_are_found if {
	every who in [samples.alice, samples.deploy] {
		writer := object.union(samples.by_session(who), {"exe": "/usr/bin/dpkg"})
		count(findings(samples.changed(writer, ["/etc/hosts"]))) == 1
	}
}

test_upgrades_declared_changes_and_hosts_that_build_images_are_declined if {
	findings(samples.changed(samples.by_upgrade, [path])) == set()
	findings(samples.changed_but(samples.by_action, {"path": path, "expected": true})) == set()
	findings(samples.on_host(samples.changed(samples.by_program, [path]), "build-1")) == set()
}

test_what_is_as_the_seal_says_is_declined if {
	findings(samples.changed_but(samples.by_program, {"path": path, "seal": "touched"})) == set()
}

test_a_hostile_path_is_quoted if {
	some said in messages(samples.changed(samples.by_program, ["/a\n{{ 7*6 }}"]))
	endswith(said, `build: "/a\n{{ 7*6 }}".`)
}

test_no_input_finds_nothing if {
	findings({}) == set()
}

test_a_change_of_which_nothing_counts_is_declined if {
	odd := object.union(samples.by_upgrade, {"unit": "packagekit.service"})
	findings(samples.changed_but(odd, {"seal": "touched"})) == set()
	findings(samples.changed_but(samples.by_program, {"seal": "touched"})) == set()
}
