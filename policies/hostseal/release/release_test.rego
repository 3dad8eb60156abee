package hostseal.release_test

import data.hostseal.release

test_a_bundle_that_says_nothing_is_told_as_nothing if {
	told := release.told with data.hostseal.bundle as {}
	[told.issued, told.max_age_seconds] == [null, null]
}

test_what_the_bundle_says_is_told if {
	bundle := {"issued": "2026-11-26T12:00:00Z", "max_age_seconds": 86400}
	stages := {"flag": 10}
	told := release.told with data.hostseal.bundle as bundle
		with data.hostseal.rollout.state as "staged"
		with data.hostseal.rollout.stage_percent as stages
	told == object.union(bundle, {"state": "staged", "stage_percent": stages})
}
