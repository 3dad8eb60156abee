package hostseal.break_glass_test

import data.hostseal.break_glass
import data.hostseal.samples_test as samples

problems(asked) := result if {
	result := break_glass.problems with input as asked with data.hostseal.site as samples.site
}

presented(asked) := result if {
	result := break_glass.presented with input as asked with data.hostseal.site as samples.site
}

drill(asked) := result if {
	result := break_glass.drill with input as asked with data.hostseal.site as samples.site
}

but(changes) := samples.with_certificate(object.union(samples.glass, changes))

login(changes) := object.union(samples.with_certificate(samples.glass), {"login": changes})

test_a_break_glass_certificate_holds if {
	presented(samples.with_certificate(samples.glass))
	problems(samples.with_certificate(samples.glass)) == set()
}

test_it_holds_for_the_rest_of_its_connection_too if {
	problems(login({"phase": "session", "proven": true})) == set()
}

test_another_authority_or_none_is_no_break_glass if {
	every asked in [
		but({"ca_fingerprint": "SHA256:other"}),
		samples.with_certificate(null),
		samples.opened(samples.alice),
		{},
	] {
		presented(asked) == false
		problems(asked) == set()
		drill(asked) == false
	}
}

test_a_site_without_authorities_has_no_break_glass if {
	site := samples.site_with({"break_glass": object.union(samples.site.break_glass, {"authorities": []})})
	not break_glass.presented with input as samples.with_certificate(samples.glass) with data.hostseal.site as site
}

test_another_accounts_certificate_does_not_hold if {
	problems(but({"principals": ["bob@97f70f8ffec04d73afb0ef26920bf1bd"]})) == {
		"The certificate was made for another account.",
	}
	problems(object.union(samples.with_certificate(samples.glass), {"event": {"data": {"user": "root"}}})) == {concat("", [
		"The certificate was made for another account.",
	])}
}

elsewhere := "The certificate was made for another host, or for one that this host has replaced."

test_another_hosts_certificate_does_not_hold if {
	problems(login({"instance": "0123456789abcdef0123456789abcdef"})) == {elsewhere}
	problems(but({"principals": ["alice@0123456789abcdef0123456789abcdef"]})) == {elsewhere}
	problems(but({"principals": ["alice"]})) == {elsewhere}
	problems(but({"principals": ["alice@97f70f8ffec04d73afb0ef26920bf1bd@x"]})) == {elsewhere}
}

test_a_host_that_does_not_know_itself_takes_none if {
	elsewhere in problems(object.union(but({"principals": ["alice@"]}), {"login": {"instance": ""}}))
	elsewhere in problems(json.remove(samples.with_certificate(samples.glass), ["login/instance"]))
}

test_a_certificate_for_several_is_for_nobody if {
	both := ["alice@97f70f8ffec04d73afb0ef26920bf1bd", "root@97f70f8ffec04d73afb0ef26920bf1bd"]
	count(problems(but({"principals": both}))) == 2
	count(problems(but({"principals": []}))) == 2
}

window := "The certificate does not hold now: it holds from 2026-01-02T03:03:05.000000Z to 2026-01-02T03:34:05.000000Z."

test_it_holds_from_its_beginning_to_before_its_end if {
	every moment in ["2026-01-02T03:03:05.000000Z", "2026-01-02T03:34:04.999999Z"] {
		problems(login({"time": moment})) == set()
	}
	every moment in ["2026-01-02T03:03:04.999999Z", "2026-01-02T03:34:05.000000Z"] {
		problems(login({"time": moment})) == {window}
	}
}

test_five_minutes_off_do_not_hold if {
	problems(login({"time": "2026-01-02T02:58:05.000000Z"})) == {window}
	problems(login({"time": "2026-01-02T03:39:05.000000Z"})) == {window}
}

test_a_time_that_cannot_be_read_does_not_hold if {
	every changes in [{"time": "now"}, {"time": null}] {
		problems(login(changes)) == {window}
	}
}

too_long := "The certificate holds longer than the 3600 seconds this site allows."

test_a_certificate_without_bounds_does_not_hold if {
	without_end := problems(but({"valid_before": null}))
	too_long in without_end
	contains(concat("", without_end), "to an unknown time.")
	too_long in problems(but({"valid_after": null}))
	too_long in problems(but({"valid_before": "9999-12-31T23:59:59.000000Z"}))
}

test_the_site_says_how_long_one_may_be if {
	problems(but({"valid_before": "2026-01-02T04:04:05.000000Z"})) == set()
	problems(but({"valid_before": "2026-01-02T04:04:05.000001Z"})) == {too_long}
}

test_a_used_certificate_does_not_hold_nor_one_of_which_it_is_not_known if {
	used := "The certificate was used on this host before; it is good for one login."
	problems(login({"used": true})) == {used}
	problems(login({"used": null})) == {used}
	problems(json.remove(samples.with_certificate(samples.glass), ["login/used"])) == {used}
}

test_a_certificate_without_ticket_or_reason_does_not_hold if {
	bare := object.union(object.remove(samples.glass, ["extensions"]), {"extensions": {"permit-pty": ""}})
	problems(samples.with_certificate(bare)) == {
		"The certificate names no ticket of this site.",
		"The certificate gives no reason.",
	}
	problems(but({"extensions": {"ticket@hostseal": "42"}})) == {"The certificate names no ticket of this site."}
	problems(but({"extensions": {"reason@hostseal": " "}})) == {"The certificate gives no reason."}
}

test_a_certificate_that_allows_more_than_the_site_does_not_hold if {
	problems(but({"extensions": {"permit-port-forwarding": ""}})) == {
		"The certificate would allow permit-port-forwarding.",
	}
	problems(but({"extensions": {"permit x\n": ""}})) == {`The certificate would allow "permit x\n".`}
}

test_a_drill_is_known_by_its_command if {
	drill(but({"critical_options": {"force-command": "echo 'hostseal: break-glass works on this host'"}}))
	drill(but({"critical_options": {"force-command": "bash"}})) == false
	drill(samples.with_certificate(samples.glass)) == false
}
