package system.log_test

import data.system.log

test_the_same_paths_whatever_is_asked if {
	every asked in [{}, {"input": null}, {"input": "text"}, {"input": {"extra_vars": {"token": "s3cret"}}}, []] {
		log.mask == log.mask with input as asked
	}
}

test_each_path_is_one_that_opa_takes if {
	count(log.mask) > 0
	every path in log.mask {
		regex.match(`^/input(/[a-z_]+)+$`, path)
	}
}

test_nothing_that_is_asked_about_an_event_is_taken_out if {
	every path in log.mask {
		not startswith(path, "/input/event")
		not startswith(path, "/input/standing")
	}
}
