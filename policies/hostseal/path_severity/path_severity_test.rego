package hostseal.path_severity_test

import data.hostseal.path_severity
import data.hostseal.samples_test as samples

severities := {"/etc/shadow": "critical", "/etc/**": "medium", "/etc/motd": "low", "/usr/*": "low"}

highest(paths) := result if {
	site := samples.site_with({"sealed_file_changed": {"severities": severities}})
	result := path_severity.highest(paths, "high") with data.hostseal.site as site
}

test_a_path_weighs_what_the_sites_data_says if {
	highest(["/etc/shadow"]) == "critical"
	highest(["/etc/ssh/sshd_config"]) == "medium"
	highest(["/usr/x"]) == "low"
}

test_of_several_globs_the_highest_counts if highest(["/etc/motd"]) == "medium"

test_of_several_paths_the_highest_counts if {
	highest(["/usr/x", "/etc/motd"]) == "medium"
	highest(["/usr/x", "/etc/shadow", "/etc/motd"]) == "critical"
}

test_a_path_of_which_nothing_is_said_weighs_what_any_does if {
	highest(["/srv/x"]) == "high"
	highest(["/usr/x/y"]) == "high"
	highest(["/usr/x", "/srv/x"]) == "high"
	highest([""]) == "high"
}

test_no_path_weighs_what_any_does if highest([]) == "high"

test_a_glob_that_is_none_matches_nothing if {
	site := samples.site_with({"sealed_file_changed": {"severities": {"/etc/[": "low"}}})
	path_severity.highest(["/etc/["], "high") == "high" with data.hostseal.site as site
}
