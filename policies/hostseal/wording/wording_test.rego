package hostseal.wording_test

import data.hostseal.samples_test as samples
import data.hostseal.wording

test_plain_names_stay_as_they_are if wording.name("/etc/ssh/ssh_config.d/1-a.conf") == "/etc/ssh/ssh_config.d/1-a.conf"

test_other_names_are_quoted_with_escapes if {
	wording.name("a\nb\u001b[2J\"") == `"a\nb\x1b[2J\""`
	wording.name("{{ lookup('pipe','touch /pwned') }}") == `"{{ lookup('pipe','touch /pwned') }}"`
	wording.name("") == `""`
}

test_characters_that_turn_text_around_are_escaped if wording.name("a\u202eb\u009b") == `"a\u202eb\u009b"`

test_a_long_name_is_cut if {
	long := concat("", [piece | some _ in numbers.range(1, 300); piece := "x"])
	wording.name(long) == sprintf(`"%s"…`, [substring(long, 0, 200)])
}

test_a_certificate_is_named if {
	session := object.union(samples.alice, {"key": {"certificate": {"key_id": "alice at work"}}})
	wording.login(session) == `alice (certificate "alice at work", key SHA256:alice) from 192.0.2.7`
}

test_what_is_not_known_is_said if {
	wording.login({"user": "alice", "key": null, "source": null}) == "alice (no key on record) from an unknown address"
}

test_three_paths_are_shown_and_the_rest_counted if {
	change := samples.changed(samples.by_program, ["/a", "/b", "/c", "/d", "/e"])
	wording.paths(change.event.data) == "5 sealed files: /a, /b, /c and 2 more"
}

test_a_list_cut_short_is_counted_in_full if {
	change := samples.but(samples.changed(samples.by_program, ["/a"]), {"count": 9000, "truncated": true})
	wording.paths(change.event.data) == "9000 sealed files: /a and 8999 more"
}

test_one_path if {
	wording.paths(samples.changed(samples.by_program, ["/a"]).event.data) == "1 sealed file: /a"
}

test_processes_in_words if {
	one := {"pid": 7, "exe": "/usr/bin/tmux", "uid": 1000}
	wording.processes({"count": 1, "processes": [one]}) == "1 process (/usr/bin/tmux)"
	nobody_knows := {"pid": 8, "exe": null, "uid": 1000}
	wording.processes({"count": 5, "processes": [one, nobody_knows, one, one, one]}) == concat("", [
		"5 processes (/usr/bin/tmux, an unknown program, /usr/bin/tmux and 2 more)",
	])
}

test_channels_in_words if {
	wording.channel({"kind": "shell", "pty": "pts/1"}) == "opened an interactive shell"
	wording.channel({"kind": "shell_no_pty", "pty": null}) == "opened a shell without a terminal"
	wording.channel({"kind": "command_with_pty"}) == "ran a command on a terminal"
	wording.channel({"kind": "command"}) == "ran a command without a terminal"
	wording.channel({"kind": "interactive_command"}) == "ran a command that takes further commands without a terminal"
	wording.channel({"kind": "sftp", "subsystem": "sftp"}) == "transferred files by sftp"
	wording.channel({"kind": "scp"}) == "transferred files by scp"
	wording.channel({"kind": "subsystem", "subsystem": "netconf"}) == "used the subsystem netconf"
	wording.channel({"kind": "x11"}) == "opened a channel"
	wording.channel({"kind": "forward"}) == "held a connection without a channel, as for forwarding"
}
