"""What is read of an artefact as it is written, and that it outlives the agent."""

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hostseal.core.attribution import ProcessFacts, Proof
from hostseal.core.persistence import Artefact, Lays
from hostseal.core.taint import LIMIT, NOT_KNOWN, Laid, Taint
from hostseal.core.units import unit_of
from hostseal.errors import SpoolError
from hostseal.sensors import laying
from hostseal.sensors.laying import NAME, Laying, key_files
from hostseal.spool.sqlite import SqliteSpool

ALICE: dict[str, Any] = {"user": "alice", "audit_session": 12}
Place = Callable[[str, Artefact], bytes]


@pytest.fixture
def spool(tmp_path: Path) -> SqliteSpool:
    return SqliteSpool(tmp_path / "spool.db", reserve_bytes=0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a function that has a file in the test's own folder count as an artefact."""
    known: dict[bytes, Artefact] = {}
    monkeypatch.setattr(laying, "artefact_of", lambda path, _: known.get(path))

    def make(text: str, artefact: Artefact) -> bytes:
        path = tmp_path / f"artefact-{len(known)}"
        path.write_text(text)
        known[os.fsencode(path)] = artefact
        return os.fsencode(path)

    return make


def kept(spool: SqliteSpool) -> Taint:
    return msgspec.json.decode(spool.recall(NAME) or b"{}", type=Taint)


def test_what_was_laid_outlives_the_agent(spool: SqliteSpool, place: Place) -> None:
    path = place("[Service]\n", Artefact(kind=Lays.UNIT, unit="x.service"))
    before = Laying(spool, "boot-1", now=lambda: 100.0)
    before.wrote(path, ALICE)
    before.save()
    running = ProcessFacts(
        pid=9, proof=Proof.ALIVE, exe="/usr/bin/dash", unit=unit_of("/system.slice/x.service"), began=200.0
    )
    for boot in ("boot-1", "boot-2"):
        found = Laying(spool, boot).source_of(running)
        assert found is not None
        assert found.tie() == {"kind": "unit", "path": os.fsdecode(path), "session": ALICE}


def test_what_came_first_is_laid_at_the_files_own_time(spool: SqliteSpool, place: Place) -> None:
    """The kernel's news may be late: the unit may have been started since the file was there."""
    path = place("x", Artefact(kind=Lays.UNIT, unit="x.service"))
    late = Laying(spool, "boot-1", now=lambda: 100.0)
    os.utime(path)
    late.wrote(path, ALICE)
    (one,) = late_items(late, spool)
    assert 90.0 < one.at <= 100.0


def late_items(keeper: Laying, spool: SqliteSpool) -> tuple[Laid, ...]:
    keeper.save()
    return kept(spool).items


@pytest.mark.parametrize(
    ("text", "artefact", "known"),
    [
        ("[Timer]\nOnCalendar=daily\n", Artefact(kind=Lays.TIMER, unit="x.timer"), {"unit": "x.service"}),
        ("[Timer]\n Unit = y.service \n", Artefact(kind=Lays.TIMER, unit="x.timer"), {"unit": "y.service"}),
        ("[Socket]\nService=z.service\n", Artefact(kind=Lays.UNIT, unit="x.socket"), {"unit": "z.service"}),
        ("[Service]\nUnit=y.service\n", Artefact(kind=Lays.UNIT, unit="x.service"), {"unit": "x.service"}),
        ("* * * * * a\n", Artefact(kind=Lays.CRON, user="root"), {"uid": 0}),
        ("* * * * * a\n", Artefact(kind=Lays.CRON, user="no such user"), {"uid": None}),
        ("#!/bin/sh\n", Artefact(kind=Lays.CRON), {"uid": 0}),
        ("job", Artefact(kind=Lays.AT_JOB), {"uid": os.geteuid()}),
        ("x", Artefact(kind=Lays.UNIT, unit="x.service", home=b"/"), {"manager": os.stat("/").st_uid}),
        ("x", Artefact(kind=Lays.UNIT, unit="x.service", home=b"/no/such"), {"manager": NOT_KNOWN}),
        ("x", Artefact(kind=Lays.UNIT, unit="x.service"), {"manager": None}),
        ("key", Artefact(kind=Lays.AUTHORIZED_KEYS, home=b"/root"), {"manager": None, "uid": None, "unit": None}),
    ],
)  # fmt: skip
def test_what_is_read_of_it(
    spool: SqliteSpool, place: Place, text: str, artefact: Artefact, known: dict[str, Any]
) -> None:
    keeper = Laying(spool, "boot-1")
    keeper.wrote(place(text, artefact), ALICE)
    (one,) = late_items(keeper, spool)
    assert {name: getattr(one, name) for name in known} == known


def test_a_link_a_pipe_and_what_has_gone_are_not_read(spool: SqliteSpool, place: Place) -> None:
    keeper = Laying(spool, "boot-1")
    unit = Artefact(kind=Lays.UNIT, unit="x.service")
    gone, pipe, link = (place("x", unit) for _ in range(3))
    for path in (gone, pipe, link):
        os.unlink(path)
    os.mkfifo(pipe)
    os.symlink("/dev/zero", link)
    for path in (gone, pipe, link):
        keeper.wrote(path, ALICE)
    assert [(one.path, one.sha256) for one in late_items(keeper, spool)] == [
        (os.fsdecode(pipe), None),
        (os.fsdecode(link), None),
    ]


def test_a_pardon_and_the_sealed_content_end_it(spool: SqliteSpool, place: Place) -> None:
    keeper = Laying(spool, "boot-1")
    first, second = (place(text, Artefact(kind=Lays.UNIT, unit="x.service")) for text in ("a", "b"))
    keeper.wrote(first, ALICE)
    keeper.wrote(second, ALICE)
    keeper.restored(first)
    assert [one.path for one in late_items(keeper, spool)] == [os.fsdecode(second)]
    keeper.forgive()
    assert late_items(keeper, spool) == ()


def test_a_file_that_went_and_came_again_is_the_new_sessions(spool: SqliteSpool, place: Place) -> None:
    keeper, path = Laying(spool, "boot-1"), place("x", Artefact(kind=Lays.UNIT, unit="x.service"))
    bob = {**ALICE, "user": "bob"}
    keeper.wrote(path, ALICE)
    keeper.went(path)
    keeper.wrote(path, bob)
    assert [one.session for one in late_items(keeper, spool)] == [ALICE], "it was there all the time"
    os.unlink(path)
    keeper.went(path)
    Path(os.fsdecode(path)).write_text("x")
    keeper.wrote(path, bob)
    assert [one.session for one in late_items(keeper, spool)] == [bob]


def test_what_could_not_be_stored_is_stored_with_the_next(spool: SqliteSpool, place: Place) -> None:
    class Full:
        full = True

        def remember(self, key: str, value: bytes) -> None:
            if self.full:
                raise SpoolError("no room")
            spool.remember(key, value)

        def recall(self, key: str) -> bytes | None:
            return spool.recall(key)

    memory = Full()
    keeper = Laying(memory, "boot-1")
    keeper.wrote(place("x", Artefact(kind=Lays.UNIT, unit="x.service")), ALICE)
    with pytest.raises(SpoolError):
        keeper.save()
    memory.full = False
    assert len(late_items(keeper, spool)) == 1


def test_what_another_version_stored_is_begun_anew(spool: SqliteSpool) -> None:
    spool.remember(NAME, b'{"items": [1]}')
    assert Laying(spool, "boot-1").find("/etc/crontab") is None


def test_it_takes_bounded_room(spool: SqliteSpool, place: Place) -> None:
    keeper = Laying(spool, "boot-1")
    jobs = "".join(f"* * * * * root job {n}\n" for n in range(1000))
    for _ in range(LIMIT + 3):
        keeper.wrote(place(jobs, Artefact(kind=Lays.CRON)), ALICE)
    keeper.save()
    found = kept(spool)
    assert (len(found.items), found.dropped) == (LIMIT, 3)
    assert len(spool.recall(NAME) or b"") < 4 << 20


def test_the_files_of_keys_are_sshds(tmp_path: Path) -> None:
    assert key_files(tmp_path) == (".ssh/authorized_keys", ".ssh/authorized_keys2")
    (tmp_path / "sshd_config.d").mkdir()
    (tmp_path / "sshd_config.d/1.conf").write_text("authorizedkeysfile=/etc/ssh/keys/%u none\n")
    (tmp_path / "sshd_config").write_text("#AuthorizedKeysFile x\nAuthorizedKeysFile .ssh/authorized_keys\n")
    assert key_files(tmp_path)[2:] == ("/etc/ssh/keys/%u",)


def test_users_are_told_by_name() -> None:
    assert laying._uid(pwd.getpwuid(0).pw_name) == 0
