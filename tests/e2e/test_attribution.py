"""Who did it, on a booted host: what a session laid and what came of it, and which programs are what they seem."""

import json
import shlex
from typing import Any

import pytest

from e2e import record
from e2e.conftest import Fleet
from e2e.test_a_login_is_never_blocked import shell
from e2e.test_session_story import opened, show
from lab import Host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CRON_D = "/etc/cron.d/left-here"
UNIT_FOLDER = "/etc/systemd/system"
LIVES = "sleep 1; :"
"""At the end of a shell's commands: it is still there when it is looked at, however busy the machine is."""


def change(host: Host, after: int, path: str, what: str = "") -> dict[str, Any]:
    """Return the data of the first change set that names the path, with the entry of that path as `path`."""

    def names(data: dict[str, Any]) -> bool:
        return any(one["path"] == path and (not what or what in one["what"]) for one in data["paths"])

    # A minute for cron, and a share for what comes after it.
    found = record.wait_until(
        lambda: next(
            (
                r["event"]["data"]
                for r in record.events(host, after)
                if r["event"]["type"] == "files.changed" and names(r["event"]["data"])
            ),
            None,
        ),
        seconds=90,
        what=f"a change of {path}",
    )
    return {**found, "path": next(one for one in found["paths"] if one["path"] == path)}


def alice(host: Host, command: str) -> str:
    done = host.ssh("alice", command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tied(data: dict[str, Any]) -> tuple[str, str, int, str, str]:
    via = data["writer"]["via"]
    assert via is not None, data["writer"]
    return (
        via["kind"],
        via["path"],
        via["session"]["audit_session"],
        via["session"]["user"],
        data["confidence"],
    )


@pytest.fixture
def host(fleet: Fleet) -> Host:
    """The host in mode `flag`, as it is: whether it is flagged changes nothing of who is named."""
    return fleet.flagging


def test_what_jobs_do_that_a_session_laid_is_tied_to_it(host: Host) -> None:
    """A table of alice's own, one of root's, an at job: laid by one session that is over before any of them runs."""
    before = record.last_seq(host)
    job = f"sh -c 'echo x > /etc/by-cron; {LIVES}'"
    try:
        alice(
            host,
            # Each has its input open for a second: one that is gone before it is looked at is laid to no session.
            f"(echo '* * * * * echo x > ~/.ssh/by-crontab; {LIVES}'; sleep 1) | crontab - && "
            f"(echo {shlex.quote(f'* * * * * root {job}')}; sleep 1) | sudo tee {CRON_D} && "
            f"(echo 'echo x > ~/.ssh/by-at; {LIVES}'; sleep 1) | at now",
        )
        audit = opened(host, before)
        laid = change(host, before, CRON_D)
        assert (laid["writer"]["kind"], laid["writer"]["session"]["audit_session"]) == ("session", audit)
        assert (laid["path"]["lays"], laid["writer"]["via"]) == ("cron", None)
        table = "/var/spool/cron/crontabs/alice"
        assert change(host, before, table)["path"]["lays"] == "cron"

        by_at = change(host, before, "/home/alice/.ssh/by-at")
        kind, path, *who = tied(by_at)
        assert (kind, who) == ("at_job", [audit, "alice", "inferred"])
        assert path.startswith("/var/spool/cron/atjobs/a")
        assert by_at["writer"]["unit"] == "atd.service"

        by_cron = change(host, before, "/etc/by-cron")
        assert tied(by_cron) == ("cron", CRON_D, audit, "alice", "inferred")
        writer = by_cron["writer"]
        assert (writer["kind"], writer["session"], writer["unit"], writer["role"]) == (
            "executable", None, "cron.service", None,
        )  # fmt: skip
        own = change(host, before, "/home/alice/.ssh/by-crontab")
        assert tied(own) == ("cron", table, audit, "alice", "inferred")

        page = show(host, audit)
        for text in (f"{CRON_D} (cron)", "came of", "/etc/by-cron", "/home/alice/.ssh/by-at"):
            assert text in page, page
        story = json.loads(show(host, audit, "--json"))
        assert {one["path"] for one in story["laid"]} >= {CRON_D, table, path}
        assert "/etc/by-cron" in {p["path"] for one in story["came_of"] for p in one["data"]["paths"]}
    finally:
        shell(
            host,
            f"rm -f {CRON_D} /etc/by-cron; crontab -r -u alice; rm -f ~alice/.ssh/by-*; rm -f /etc/by-at",
        )


def test_a_timer_is_tied_to_who_laid_it_also_after_the_agent_was_restarted(host: Host) -> None:
    before = record.last_seq(host)
    unit = r"[Service]\nExecStart=/bin/sh -c \'echo x > /etc/by-unit; sleep 1; :\'\n"
    timer = r"[Timer]\nOnActiveSec=1\nAccuracySec=100ms\n"
    try:
        alice(
            host,
            f"(printf $'{unit}'; sleep 1) | sudo tee {UNIT_FOLDER}/left.service && "
            f"(printf $'{timer}'; sleep 1) | sudo tee {UNIT_FOLDER}/left.timer && sudo systemctl daemon-reload",
        )
        audit = opened(host, before)
        assert change(host, before, f"{UNIT_FOLDER}/left.service")["path"]["lays"] == "unit"
        assert change(host, before, f"{UNIT_FOLDER}/left.timer")["path"]["lays"] == "timer"
        restarted = record.last_seq(host)
        shell(host, "systemctl restart hostseal")
        record.wait_for(host, restarted, "agent.started")
        record.wait_until(lambda: record.status(host)["agent"]["files"]["alive"], what="files are watched")
        shell(host, "systemctl start left.timer")
        kind, path, *who = tied(change(host, before, "/etc/by-unit"))
        assert (kind, path) in {
            ("unit", f"{UNIT_FOLDER}/left.service"),
            ("timer", f"{UNIT_FOLDER}/left.timer"),
        }
        assert who == [audit, "alice", "inferred"]
    finally:
        shell(
            host,
            f"systemctl stop left.timer left.service; rm -f {UNIT_FOLDER}/left.* /etc/by-unit; systemctl daemon-reload",
        )


def test_a_pardon_ends_the_tie(sealed: Host) -> None:
    """The host was flagged by the tests above; the fixture has pardoned it, so a unit of that name is not theirs."""
    before = record.last_seq(sealed)
    try:
        service(sealed, "left", f"/bin/sh -c 'echo x > /etc/by-unit; {LIVES}'")
        assert change(sealed, before, "/etc/by-unit")["writer"]["via"] is None
    finally:
        shell(sealed, f"rm -f {UNIT_FOLDER}/left.service /etc/by-unit; systemctl daemon-reload")


def service(host: Host, name: str, command: str) -> None:
    """Run a command in a unit that is on disk, and that no session has laid."""
    text = f"[Service]\nType=oneshot\nExecStart={command}\n"
    host.peek(["tee", f"{UNIT_FOLDER}/{name}.service"], input=text)
    shell(host, f"systemctl daemon-reload; systemctl start {name}.service")


POSTINST = """#!/bin/sh
set -e
echo x > /etc/probe/by-its-script
sleep 0.5
"""


def package(host: Host) -> None:
    """Build a package on the host, with a file and a script of its own."""
    control = "Package: hostseal-probe\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: probe\n"
    shell(host, "rm -rf /var/tmp/probe; mkdir -p /var/tmp/probe/DEBIAN /var/tmp/probe/etc/probe")
    host.peek(["tee", "/var/tmp/probe/DEBIAN/control"], input=control)
    host.peek(["tee", "/var/tmp/probe/DEBIAN/postinst"], input=POSTINST)
    host.peek(["tee", "/var/tmp/probe/etc/probe/settings"], input="x\n")
    shell(
        host,
        "chmod 755 /var/tmp/probe/DEBIAN/postinst; dpkg-deb --build /var/tmp/probe /var/tmp/probe.deb",
    )


def test_a_package_that_a_unit_installs_is_the_package_managers_doing(host: Host) -> None:
    package(host)
    before = record.last_seq(host)
    try:
        service(host, "our-upgrade", "/usr/bin/apt-get install --yes /var/tmp/probe.deb")
        by_dpkg = change(host, before, "/etc/probe/settings.dpkg-new")
        writer = by_dpkg["writer"]
        assert (writer["kind"], writer["exe"], writer["unit"], writer["role"], writer["via"]) == (
            "executable", "/usr/bin/dpkg", "our-upgrade.service", "package_manager", None,
        )  # fmt: skip
        assert by_dpkg["confidence"] == "exact"
        by_script = change(host, before, "/etc/probe/by-its-script")["writer"]
        assert (by_script["unit"], by_script["role"]) == ("our-upgrade.service", "package_manager")

        # The same in a person's session is that person's doing, and in a unit that somebody asked for nobody's.
        after = record.last_seq(host)
        alice(host, "sudo dpkg --purge hostseal-probe && sudo dpkg -i /var/tmp/probe.deb")
        by_alice = change(host, after, "/etc/probe/settings.dpkg-new")
        assert (by_alice["writer"]["kind"], by_alice["writer"]["session"]["user"]) == ("session", "alice")
        asked = record.last_seq(host)
        alice(host, "sudo systemd-run --wait --quiet dpkg -i --force-confmiss /var/tmp/probe.deb")
        by_asked = change(host, asked, "/etc/probe/by-its-script")
        assert (by_asked["writer"]["kind"], by_asked["writer"]["role"]) == ("executable", None)
        kind, path, *who = tied(by_asked)
        assert (kind, who) == ("unit", [opened(host, asked), "alice", "inferred"])
        assert path == f"/run/systemd/transient/{by_asked['writer']['unit']}"
    finally:
        shell(
            host,
            f"dpkg --purge hostseal-probe; rm -rf /etc/probe /var/tmp/probe* {UNIT_FOLDER}/our-upgrade.service;"
            " systemctl daemon-reload",
        )


def test_a_program_of_that_name_is_no_package_manager(host: Host) -> None:
    before = record.last_seq(host)
    try:
        shell(host, "cp /usr/bin/dash /var/tmp/dpkg")
        service(host, "our-copy", f"/var/tmp/dpkg -c 'echo x > /etc/by-no-dpkg; {LIVES}'")
        writer = change(host, before, "/etc/by-no-dpkg")["writer"]
        assert (writer["exe"], writer["unit"], writer["role"]) == ("/var/tmp/dpkg", "our-copy.service", None)
    finally:
        shell(
            host,
            f"rm -f /etc/by-no-dpkg /var/tmp/dpkg {UNIT_FOLDER}/our-copy.service; systemctl daemon-reload",
        )


def test_a_unit_that_a_user_gave_a_name_of_the_systems_is_his_and_tied_to_who_asked_for_it(
    host: Host,
) -> None:
    """It outlives the session, whose user's manager was told to stay."""
    before = record.last_seq(host)
    try:
        alice(
            host,
            "sudo loginctl enable-linger alice && XDG_RUNTIME_DIR=/run/user/$(id -u) "
            "systemd-run --user --quiet --unit=apt-daily-upgrade "
            "sh -c 'sleep 2; echo x > ~/.ssh/by-forged-unit; sleep 1; :'",
        )
        data = change(host, before, "/home/alice/.ssh/by-forged-unit")
        writer = data["writer"]
        assert (writer["kind"], writer["unit"], writer["role"], writer["uid"]) == (
            "executable", "user@2001.service", None, 2001,
        )  # fmt: skip
        path = "/run/user/2001/systemd/transient/apt-daily-upgrade.service"
        assert tied(data) == ("unit", path, opened(host, before), "alice", "inferred")
        assert (
            change(host, before, "/var/lib/systemd/linger/alice")["writer"]["unit"]
            == "systemd-logind.service"
        )
    finally:
        shell(host, "loginctl disable-linger alice; rm -f ~alice/.ssh/by-forged-unit")


def test_a_writer_that_is_gone_at_once_is_still_named(host: Host) -> None:
    """Two hundred that live about a millisecond: each is named by its exec record, and never as somebody else's."""
    before = record.last_seq(host)
    try:
        shell(host, "install -d -o alice /etc/short")
        alice(host, 'for i in $(seq 200); do /bin/sh -c "echo x > /etc/short/$i"; done')
        audit = opened(host, before)
        record.wait_for(host, before, "session.closed")

        def named() -> dict[str, set[str]] | None:
            found: dict[str, set[str]] = {}
            for r in record.events(host, before):
                data = r["event"]["data"]
                if r["event"]["type"] == "files.changed" and data["writer"]["exe"] != "/usr/bin/install":
                    session = (data["writer"]["session"] or {}).get("audit_session")
                    who = "alice" if session == audit else f"{data['writer']['exe']} {session}"
                    for one in data["paths"]:
                        if one["path"].startswith("/etc/short/"):
                            found.setdefault(one["path"], set()).add(who)
            return found if len(found) == 200 else None

        found = record.wait_until(named, what="all of them are on record")
        writers = set().union(*found.values())
        assert writers <= {"alice", "/usr/bin/dash None"}
        assert sum("alice" in who for who in found.values()) >= 20
    finally:
        shell(host, "rm -rf /etc/short")
