"""What a path lays: where cron, atd, systemd, sshd, shells and sudo look, and nowhere else."""

import pytest

from hostseal.core.persistence import Artefact, Lays, artefact_of, kind_of, starts


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/etc/crontab", "cron"),
        (b"/etc/anacrontab", "cron"),
        (b"/etc/cron.d/evil", "cron"),
        (b"/etc/cron.daily/0evil", "cron"),
        (b"/var/spool/cron/crontabs/alice", "cron"),
        (b"/var/spool/cron/alice", "cron"),
        (b"/var/spool/cron/atjobs/a0000201c8ab58", "at_job"),
        (b"/var/spool/at/a0000201c8ab58", "at_job"),
        (b"/etc/systemd/system/evil.service", "unit"),
        (b"/etc/systemd/system/ssh.service.d/10-evil.conf", "unit"),
        (b"/etc/systemd/system/multi-user.target.wants/evil.service", "unit"),
        (b"/usr/lib/systemd/system/evil@.service", "unit"),
        (b"/usr/local/lib/systemd/system/evil.path", "unit"),
        (b"/etc/systemd/user/evil.service", "unit"),
        (b"/home/alice/.config/systemd/user/evil.service", "unit"),
        (b"/root/.config/systemd/user/default.target.wants/evil.service", "unit"),
        (b"/etc/init.d/evil", "unit"),
        (b"/etc/rc.local", "unit"),
        (b"/etc/systemd/system/evil.timer", "timer"),
        (b"/home/alice/.config/systemd/user/evil.timer", "timer"),
        (b"/etc/systemd/system/timers.target.wants/evil.timer", "timer"),
        (b"/home/alice/.ssh/authorized_keys", "authorized_keys"),
        (b"/root/.ssh/authorized_keys2", "authorized_keys"),
        (b"/etc/profile", "shell_profile"),
        (b"/etc/profile.d/evil.sh", "shell_profile"),
        (b"/etc/environment", "shell_profile"),
        (b"/etc/ld.so.preload", "shell_profile"),
        (b"/home/alice/.bashrc", "shell_profile"),
        (b"/root/.profile", "shell_profile"),
        (b"/home/alice/.ssh/rc", "shell_profile"),
        (b"/etc/sudoers", "sudoers"),
        (b"/etc/sudoers.d/evil", "sudoers"),
        # What is passed over by whoever would run it, or is no such file.
        (b"/etc/cron.d/evil.dpkg-new", None),
        (b"/etc/cron.d/.placeholder", None),
        (b"/etc/cron.d", None),
        (b"/var/spool/cron/crontabs/tmp.a1B2c3", None),
        (b"/var/spool/cron/crontabs", None),
        (b"/var/spool/cron/atjobs/.SEQ", None),
        (b"/var/spool/cron/atspool/a0000201c8ab58", None),
        (b"/etc/systemd/system/evil.service.swp", None),
        (b"/etc/systemd/system/ssh.service.d/10-evil.conf~", None),
        (b"/etc/systemd/journald.conf.d/10.conf", None),
        (b"/etc/systemd/system", None),
        (b"/etc/profile.d/README", None),
        (b"/etc/sudoers.d/evil~", None),
        (b"/etc/sudoers.d/evil.conf", None),
        (b"/home/alice/work/.bashrc", None),
        (b"/home/alice/.ssh/known_hosts", None),
        (b"/home/alice/backup/.ssh/authorized_keys", None),
        (b"/home/alice/authorized_keys", None),
        (b"/home/.bashrc", None),
        (b"/srv/etc/crontab", None),
        (b"/etc/hosts", None),
        (b"/etc/cron.d/\xff\xfe", None),
        (b"", None),
    ],
)
def test_each_place(path: bytes, kind: str | None) -> None:
    assert kind_of(path) == kind


def test_what_of_it_is_known() -> None:
    assert artefact_of(b"/var/spool/cron/crontabs/alice") == Artefact(kind=Lays.CRON, user="alice")
    assert artefact_of(b"/etc/systemd/system/ssh.service.d/a.conf") == Artefact(
        kind=Lays.UNIT, unit="ssh.service"
    )
    home = artefact_of(b"/home/alice/.config/systemd/user/x.timer")
    assert home == Artefact(kind=Lays.TIMER, unit="x.timer", home=b"/home/alice")
    assert artefact_of(b"/etc/systemd/user/x.service") == Artefact(kind=Lays.UNIT, unit="x.service", user="*")


@pytest.mark.parametrize(
    ("path", "patterns", "is_one"),
    [
        (b"/etc/ssh/keys/alice", ["/etc/ssh/keys/%u"], True),
        (b"/etc/ssh/keys/alice/more", ["/etc/ssh/keys/%u"], False),
        (b"/srv/keys/2001", ["/srv/keys/%U"], True),
        (b"/srv/keys/alice", ["/srv/keys/%U"], False),
        (b"/home/alice/keys", ["keys"], True),
        (b"/home/alice/.ssh/authorized_keys", ["%h/keys"], False),
        (b"/home/alice/keys", ["%h/keys"], True),
        (b"/srv/git/.ssh/authorized_keys", [".ssh/authorized_keys"], True),
        (b"/etc/ssh/k(e", ["/etc/ssh/k(e"], True),
    ],
)
def test_keys_are_where_sshd_is_told_to_look(path: bytes, patterns: list[str], is_one: bool) -> None:
    assert (kind_of(path, patterns) == "authorized_keys") is is_one


def test_what_a_timer_starts() -> None:
    assert starts("a.timer") == "a.service"
    assert starts("a@1.timer") == "a@1.service"
    assert starts("a.socket", "b@.service") == "b@.service"
    assert starts("a.service") == "a.service"
