"""What is proposed as changing by design, and what never is."""

from typing import Any

import pytest

from hostseal.config.by_design import mistake
from hostseal.core.by_design import ByDesign
from hostseal.core.change_set import What
from hostseal.core.learning import Proposal, propose

FIRST, LAST = "2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:06.000000Z"


def changed(*paths: str, writer: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    by = {
        "kind": "executable",
        "session": None,
        "exe": "/usr/sbin/cupsd",
        "unit": "cups.service",
        "via": None,
    }
    return {
        "writer": {**by, **(writer or {})},
        "paths": [{**path(name), **more.pop("path", {})} for name in paths],
        "truncated": False,
        "confidence": "exact",
        "first": FIRST,
        "last": LAST,
        **more,
    }


def path(name: str) -> dict[str, Any]:
    return {"path": name, "raw": None, "what": ["modified"], "seal": "unsealed", "differs": [], "lays": None}


def why(data: dict[str, Any], mode: int | None = 0o644) -> str:
    lesson = propose([data], {one["path"]: mode for one in data["paths"]})
    assert lesson.proposals == ()
    (refused,) = lesson.refused
    return refused.why


def test_what_a_service_changes_is_proposed_for_that_service_with_who_and_how_often() -> None:
    modes: dict[str, int | None] = {"/etc/cups/printers.conf": 0o600, "/etc/cups/printers.conf.N4711": None}
    both = changed("/etc/cups/printers.conf", "/etc/cups/printers.conf.N4711")
    lesson = propose([both, changed("/etc/cups/printers.conf", last="2026-01-02T04:00:00.000000Z")], modes)
    assert lesson.refused == ()
    assert lesson.proposals == (
        Proposal(
            name="cups",
            paths=("/etc/cups/printers.conf", "/etc/cups/printers.conf.N*"),
            what=(What.MODIFIED,),
            units=("cups.service",),
            programs=("/usr/sbin/cupsd",),
            events=2,
            times=3,
            first=FIRST,
            last="2026-01-02T04:00:00.000000Z",
        ),
    )


def test_what_is_proposed_is_a_class_but_for_its_reason() -> None:
    data = changed("/etc/cups/a [x]*?.conf", writer={"unit": "ifup@eth0.service"})
    (one,) = propose([data], {"/etc/cups/a [x]*?.conf": 0o644}).proposals
    assert (one.name, one.units) == ("ifup_eth0", ("ifup@*.service",))
    made = ByDesign(reason="", paths=one.paths, what=one.what, units=one.units)
    assert mistake(made) == ("reason", "empty: say why these files change")


def test_a_number_alone_is_no_name_of_a_class() -> None:
    (one,) = propose([changed("/etc/cups/4711")], {"/etc/cups/4711": None}).proposals
    assert one.paths == ("/etc/cups/4711",)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/systemd/system/x.service", "/etc/cron.d/x", "/etc/crontab", "/var/spool/cron/crontabs/root", "/etc/sudoers",
        "/etc/sudoers.d/x", "/home/alice/.ssh/authorized_keys", "/root/.bashrc", "/etc/profile.d/x.sh", "/etc/passwd",
        "/etc/shadow-", "/etc/pam.d/sshd", "/etc/ld.so.preload", "/etc/ld.so.cache", "/usr/bin/x", "/usr/lib/x.so",
        "/usr/local/bin/x", "/lib/x", "/boot/vmlinuz", "/opt/x", "/etc/ssh/sshd_config", "/etc/ssl/certs/x.pem",
        "/etc/apt/sources.list", "/etc/hostseal/config.d/x.toml", "/etc/alternatives/vi", "/etc/rc.local",
        "/etc/logrotate.d/x", "/etc/update-motd.d/10-x", "/etc/network/if-up.d/x", "/etc/nsswitch.conf", "/etc/gshadow",
    ],
)  # fmt: skip
def test_what_persistence_or_privilege_hangs_on_is_never_proposed(name: str) -> None:
    assert "is never by design" in why(changed(name))


@pytest.mark.parametrize("mode", [0o755, 0o4644, 0o2644, 0o645])
def test_nor_is_a_program(mode: int) -> None:
    assert why(changed("/etc/cups/x"), mode) == "it can be executed"


@pytest.mark.parametrize(
    "differs", [["mode"], ["content", "owner"], ["kind"], ["xattrs"], ["unsafe"], ["target"]]
)
def test_nor_what_changed_more_than_its_content(differs: list[str]) -> None:
    told = why(changed("/etc/cups/x", path={"seal": "broken", "differs": differs}))
    assert told == f"more than its content changed: {differs[-1]}"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            changed("/etc/x/y", writer={"kind": "session", "session": {"user": "alice"}}),
            "a session changed it",
        ),
        (changed("/etc/x/y", writer={"via": {"kind": "cron"}}), "a session had laid"),
        (changed("/etc/x/y", writer={"unit": None}), "open to everybody"),
        (changed("/etc/x/y", writer={"unit": "session-3.scope"}), "open to everybody"),
        (changed("/etc/x/y", writer={"kind": "unknown"}), "not known"),
        (changed("/etc/x/y", confidence="unknown"), "not known"),
        (changed("/etc/x/y", path={"raw": "L2V0Yy94L/8="}), "not text"),
        (changed("/etc/x/y", path={"lays": "of a later version"}), "never by design"),
    ],
)
def test_nor_what_no_service_is_known_to_have_done(data: dict[str, Any], words: str) -> None:
    assert words in why(data)


@pytest.mark.parametrize("seal", ["touched", "own", "by_design"])
def test_what_breaks_nothing_needs_no_class(seal: str) -> None:
    lesson = propose([changed("/etc/cups/x", path={"seal": seal})], {})
    assert (lesson.proposals, lesson.refused) == ((), ())


def test_sets_that_do_not_name_all_are_counted() -> None:
    assert propose([changed("/etc/cups/x", truncated=True), changed("/etc/cups/x")], {}).truncated == 1
