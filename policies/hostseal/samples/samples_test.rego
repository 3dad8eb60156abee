# METADATA
# title: What the tests ask about
# description: Inputs as the agent sends them, and a site's data to decide them by. Not part of the bundle.
package hostseal.samples_test

# METADATA
# description: web-1 is flagged, lab-1 only observed; deploy with its key is automation.
site := {
	"accounts_changed": {"paths": {"/etc/passwd": true, "/etc/group": false}},
	"agent_tampered": {"paths": {"/opt/hostseal/**": true}},
	"authorized_keys_changed": {"paths": {"/home/*/.ssh/authorized_keys": true}},
	"automation": {"accounts": ["deploy"], "key_fingerprints": ["SHA256:deploy"]},
	"automation_changes": "record",
	"blind_too_long": {"max_seconds": 600},
	"boot_changed": {"paths": {"/boot/**": true}},
	"break_glass": {
		"authorities": ["SHA256:glass"],
		"extensions": ["permit-pty"],
		"flag_on_refused": ["revoked", "expired"],
		"max_seconds": 3600,
		"max_total_seconds": 7200,
		"ticket_pattern": "^INC-[0-9]+$",
	},
	"channel": {
		"shell": "flag",
		"shell_no_pty": "flag",
		"command_with_pty": "flag",
		"interactive_command": "flag",
		"command": "lift",
		"sftp": "lift",
		"scp": "lift",
		"subsystem": "lift",
		"forward": "lift",
	},
	"deadline_seconds": 600,
	"default": {"mode": "observe", "class": "immutable"},
	"flag_on_disagreement": ["pam"],
	"flag_on_loss": ["queue_overflow"],
	"gate": {
		"allowed_collections": ["hostseal.core"],
		"allowed_roles": ["acme.base.agent"],
		"build_groups": ["builders"],
		"controllers": ["localhost"],
		"read_only_modules": {"ansible.builtin.stat": true, "ansible.builtin.setup": false},
		"rerouting_variables": ["ansible_host"],
	},
	"image_age": {"max_days": 30},
	"images_revoked": {"sha256:bad": "CVE-2026-1 is in it"},
	"left_behind": "flag",
	"login_window": {"default": null, "groups": {}},
	"mutable_debt": {"only": false},
	"package_installed": {"paths": {"/var/lib/dpkg/**": true}, "programs": {"/usr/bin/dpkg": true}},
	"package_upgrades": "record",
	"privilege": "record",
	"groups": {"fronts": {"mode": "flag"}, "builders": {"mode": "flag"}},
	"hosts": {
		"web-1": {"groups": ["fronts"]},
		"web-2": {"groups": ["fronts"]},
		"lab-1": {"mode": "observe"},
		"build-1": {"groups": ["builders"]},
		"pet-1": {"mode": "flag", "class": "mutable"},
	},
	"lockdown": {"existing_sessions": "keep", "stage_percent": 100, "without_break_glass": false},
	"login": {"deadline_seconds": 900, "how_to_ask": "Ask carol."},
	"replace": {"attempts": 3},
	"responses": {"rules": {}, "severities": {}},
	"rules": {},
	"sealed_file_changed": {"severities": {"/etc/shadow": "critical", "/etc/motd": "low"}},
	"spool_backlog": {"max_pending": 100, "max_seconds": 60},
	"sudoers_changed": {"paths": {"/etc/sudoers.d/**": true}},
	"unit_added": {"paths": {"/etc/cron.d/**": true}},
	"unknown_key": {"known": {}},
	"weak_key": {"rsa_bits": 3072, "types": {"ssh-ed25519": true, "ssh-rsa": true, "ssh-dss": false}},
	"upgrade_units": ["apt-daily-upgrade.service"],
}

# METADATA
# description: The site's data with some of it put otherwise.
site_with(changes) := object.union(site, changes)

# METADATA
# description: A play with these tasks on these hosts, asked about from the machine jump-1.
play(tasks, hosts) := {
	"play": {
		"name": "Patch the web servers",
		"file": "patch.yml",
		"check": false,
		"tags": {"run": ["all"], "skip": []},
		"hosts": hosts,
		"sets": [],
		"tasks": tasks,
	},
	"requested_by": {"user": "alice", "controller": "jump-1"},
}

# METADATA
# description: A task that installs something on the play's hosts.
install := {
	"name": "Install nginx",
	"module": "ansible.builtin.apt",
	"role": null,
	"collection": null,
	"file": "patch.yml",
	"line": 5,
	"kind": "task",
	"check": false,
	"dynamic": false,
	"target": {"kind": "play", "host": null},
}

# METADATA
# description: The same task with some of it put otherwise.
install_but(changes) := object.union(install, changes)

# METADATA
# description: The question whether web-1-g2, flagged and due, may be replaced now.
replacement := {"replace": {
	"host": {"name": "web-1-g2", "slot": "web-1", "generation": 2, "instance_id": "i-2"},
	"standing": "flagged",
	"incident": {"id": "inc-1", "deadline": "2026-01-02T03:04:05.000000Z", "reasons": ["alice opened a shell."]},
	"held": false,
	"attempts": 0,
	"now": "2026-01-02T03:04:06.000000Z",
	"image": {"digest": "sha256:aa", "track": "current"},
	"requested_by": "fleet",
}}

# METADATA
# description: The same question with some of it put otherwise.
replacement_but(changes) := object.union(replacement, {"replace": changes})

# METADATA
# description: The question whether alice may have a certificate for web-1, as the command line asks it.
wish := {"break_glass": {
	"asks": "grant",
	"grant": {
		"id": "8ce25aeb-41b9-49de-abfd-691110332cc6",
		"user": "alice",
		"host": "web-1",
		"instance": "97f70f8ffec04d73afb0ef26920bf1bd",
		"ticket": "INC-1",
		"reason": "the disk is full",
		"person": "carol",
		"began": "2026-01-02T03:04:05.000000Z",
		"source": null,
		"drill": false,
	},
	"seconds": 1800,
	"total_seconds": 1800,
	"extensions": ["permit-pty"],
	"authority": "SHA256:glass",
	"time": "2026-01-02T03:04:05.000000Z",
}}

# METADATA
# description: The same question with some of it put otherwise.
wish_but(changes) := object.union(wish, {"break_glass": changes})

# METADATA
# description: A break-glass certificate for alice on web-1, as the login gate shows it.
glass := {
	"key_id": "INC-1 by carol for alice on web-1: the disk is full",
	"principals": ["alice@97f70f8ffec04d73afb0ef26920bf1bd"],
	"serial": 7,
	"ca_fingerprint": "SHA256:glass",
	"valid_after": "2026-01-02T03:03:05.000000Z",
	"valid_before": "2026-01-02T03:34:05.000000Z",
	"critical_options": {},
	"extensions": {"permit-pty": "", "ticket@hostseal": "INC-1", "reason@hostseal": "the disk is full"},
}

# METADATA
# description: The input about a login with this certificate on web-1.
with_certificate(certificate) := object.union(about("login.requested", alice), {"login": {
	"phase": "account",
	"certificate": certificate,
	"proven": false,
	"used": false,
	"armed": true,
	"time": "2026-01-02T03:04:05.000000Z",
	"instance": "97f70f8ffec04d73afb0ef26920bf1bd",
}})

# METADATA
# description: A refused certificate, for one cause.
refused(why) := about("certificate.refused", {
	"user": "alice",
	"source": "192.0.2.7",
	"why": why,
	"key_id": "INC-1 by carol",
	"serial": 7,
	"fingerprint": "SHA256:key",
	"ca_fingerprint": "SHA256:glass",
	"unreported": 0,
})

# METADATA
# description: The input about one event on web-1, whose seal is intact.
about(type, event_data) := {
	"event": {
		"id": "00000000-0000-5000-8000-000000000001",
		"type": type,
		"time": "2026-01-02T03:04:05.000000Z",
		"seq": 1,
		"host": {
			"name": "web-1",
			"machine_id": "0123456789abcdef0123456789abcdef",
			"boot_id": "0123456789abcdef0123456789abcdef",
			"image": null,
			"class": "immutable",
			"mode": "observe",
			"groups": [],
		},
		"data": event_data,
	},
	"standing": {"state": "sealed", "incident": null},
}

# METADATA
# description: The same event on another host.
on_host(asked, name) := object.union(asked, {"event": {"host": {"name": name}}})

# METADATA
# description: The same event on a host whose standing is another.
standing(asked, state) := object.union(asked, {"standing": {"state": state}})

# METADATA
# description: The same event with some of its data put otherwise.
but(asked, changes) := object.union(asked, {"event": {"data": changes}})

alice := {
	"user": "alice",
	"service": "sshd",
	"source": "192.0.2.7",
	"connection": "192.0.2.7 50000 192.0.2.1 22",
	"audit_session": 12,
	"login_uid": 1000,
	"logind_session": "12",
	"key": {"method": "publickey", "type": "ssh-ed25519", "fingerprint": "SHA256:alice", "certificate": null},
	"leader_pid": 4242,
	"seen_by": "pam",
}

deploy := object.union(alice, {"user": "deploy", "key": {"fingerprint": "SHA256:deploy"}})

# METADATA
# description: A break-glass certificate of alice's for web-1 with which nothing is wrong.
certificate := {
	"key_id": "alice",
	"principals": ["alice@i-1"],
	"serial": 1,
	"ca_fingerprint": "SHA256:glass",
	"valid_after": "2026-01-02T03:00:00.000000Z",
	"valid_before": "2026-01-02T03:30:00.000000Z",
	"critical_options": {},
	"extensions": {"permit-pty": "", "ticket@hostseal": "INC-7", "reason@hostseal": "the disk is full"},
}

# METADATA
# description: The login gate's question about alice or another in PAM's account phase, with this certificate offered.
login(who, offered) := object.union(
	about("login.requested", object.union(who, {"key": null, "offered": offered})),
	{"login": gate_question("account", offered)},
)

# METADATA
# description: The same question in the session phase, with this certificate proven.
session_login(who, proven) := object.union(
	about("session.opened", who),
	{"login": gate_question("session", proven)},
)

# METADATA
# description: The same question with some of it put otherwise.
login_but(asked, changes) := object.union(asked, {"login": changes})

gate_question(phase, shown) := {
	"phase": phase,
	"certificate": shown,
	"proven": phase == "session",
	"used": false,
	"armed": true,
	"time": "2026-01-02T03:04:05.000000Z",
	"instance": "i-1",
}

opened(session) := about("session.opened", session)

channel(session, kind, pty) := about("session.channel", {
	"session": session,
	"user": session.user,
	"source": session.source,
	"kind": kind,
	"subsystem": null,
	"pty": pty,
	"confidence": "exact",
	"number": 0,
})

became_root(session) := about("session.privilege", {
	"session": session,
	"user": session.user,
	"target": "root",
	"via": "/usr/bin/sudo",
	"pid": 77,
	"confidence": "exact",
})

left_behind(session) := about("session.left_behind", {
	"session": session,
	"processes": [{"pid": 77, "exe": "/usr/bin/tmux", "uid": 1000}],
	"count": 1,
	"confidence": "exact",
})

by_session(session) := {
	"kind": "session",
	"session": session,
	"exe": "/usr/bin/vim",
	"pid": 77,
	"uid": 0,
	"action": null,
	"unit": null,
	"role": null,
	"via": null,
}

by_program := object.union(by_session(null), {"kind": "executable", "exe": "/usr/bin/dpkg"})

by_action := object.union(by_session(null), {"kind": "action", "action": "flag"})

# METADATA
# description: The system's own timer has a package manager upgrade.
by_upgrade := object.union(by_program, {"unit": "apt-daily-upgrade.service", "role": "package_manager"})

# METADATA
# description: A program that something starts which this session has laid.
by_laid(session) := object.union(by_program, {
	"exe": "/usr/bin/dash",
	"unit": "cron.service",
	"via": {"kind": "cron", "path": "/etc/cron.d/x", "session": session},
})

changed(writer, paths) := about("files.changed", {
	"writer": writer,
	"paths": [changed_path(path) | some path in paths],
	"count": count(paths),
	"truncated": false,
	"confidence": "exact",
	"first": "2026-01-02T03:04:05.000000Z",
	"last": "2026-01-02T03:04:06.000000Z",
})

# METADATA
# description: A change set of one path with some of it put otherwise.
changed_but(writer, changes) := but(changed(writer, []), {
	"paths": [object.union(changed_path("/etc/hosts"), changes)],
	"count": 1,
})

changed_path(path) := {
	"path": path,
	"raw": null,
	"what": ["modified"],
	"sha256": null,
	"expected": false,
	"seal": "broken",
	"class": null,
	"differs": ["content"],
	"lays": null,
}

lost := about("sensor.lost", {
	"sensor": "fanotify",
	"cause": "queue_overflow",
	"since": "2026-01-02T03:04:05.000000Z",
	"until": "2026-01-02T03:04:06.000000Z",
	"scope": "/etc",
	"rescanned": true,
	"detail": {},
})

# METADATA
# description: A scan found these paths to differ, each in this.
found(change, paths) := but(broken, {
	"differences": [{"path": path, "change": change, "sealed": "", "found": "file"} | some path in paths],
	"count": count(paths),
})

# METADATA
# description: The agent's news of the hour.
heartbeat := about("agent.heartbeat", {
	"spool": {"pending": 3, "oldest_seconds": 12.5, "dead": 0},
	"image": {"id": "sha256:aa", "built": "2026-01-01T03:04:05.000000Z"},
	"policy": {"revision": "abc"},
	"lost": {},
})

broken := about("seal.broken", {
	"cause": "start",
	"image": "sha256:aa",
	"manifest": "sha256:bb",
	"scope": ["/etc"],
	"differences": [{"path": "/etc/issue", "change": "content", "sealed": "aa", "found": "bb"}],
	"count": 1,
	"known": 0,
	"truncated": false,
	"complete": true,
	"entries": 100,
	"seconds": 0.5,
})

untrusted := about("seal.untrusted", {
	"cause": "signature",
	"manifest": "/etc/hostseal/image.seal",
	"detail": "signed by another key than this one",
})

disagreement := about("witnesses.disagree", {
	"session": null,
	"user": "alice",
	"source": "192.0.2.7",
	"seen_by": ["journal", "logind"],
	"missing": ["pam"],
	"why": "the PAM hook has not reported a session that others have seen",
	"count": 1,
})
