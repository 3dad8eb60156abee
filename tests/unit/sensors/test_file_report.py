"""From a change set to the event: digests, names, what an action had declared."""

import base64
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hostseal.core.attribution import UNKNOWN, Confidence, Writer, WriterKind
from hostseal.core.change_set import ChangeSet, PathChange, What
from hostseal.core.seal import Kind
from hostseal.core.seal_compare import Change, Difference
from hostseal.core.verdict import Sealed, Verdict
from hostseal.scans.judge import Looked, unjudged
from hostseal.sensors.file_report import report

NOW = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
ACTION = Writer(kind=WriterKind.ACTION, action="u", exe="/usr/bin/python3", pid=9, uid=0)


def changes(*paths: bytes, what: What = What.MODIFIED, truncated: bool = False) -> ChangeSet:
    return ChangeSet(
        key=UNKNOWN,
        writer=ACTION,
        paths=tuple(PathChange(path, (what,)) for path in paths),
        count=len(paths),
        truncated=truncated,
        confidence=Confidence.EXACT,
        first=97.5,
        last=99.0,
    )


def expected(one: ChangeSet, declared: dict[bytes, str | None], writer: Writer = ACTION) -> list[bool]:
    allowed = {path: frozenset({digest}) for path, digest in declared.items()}
    data = report(one, writer, allowed, now=NOW, monotonic=100.0)
    return [path["expected"] for path in data["paths"]]


def test_the_whole_of_it(tmp_path: Path) -> None:
    here = os.fsencode(tmp_path)
    (tmp_path / "a").write_bytes(b"x")
    odd = here + b"/{{ 7*6 }}\n\xff"
    Path(os.fsdecode(odd)).write_bytes(b"y")
    assert report(changes(here + b"/a", odd), ACTION, None, now=NOW, monotonic=100.0) == {
        "writer": {
            "kind": "action",
            "session": None,
            "exe": "/usr/bin/python3",
            "pid": 9,
            "uid": 0,
            "action": "u",
            "unit": None,
            "role": None,
            "via": None,
        },
        "paths": [
            {
                "path": f"{tmp_path}/a",
                "raw": None,
                "what": ["modified"],
                "sha256": hashlib.sha256(b"x").hexdigest(),
                "expected": False,
                "seal": "unsealed",
                "class": None,
                "differs": [],
                "lays": None,
                "gains": [],
                "grants": [],
                "diff": None,
            },
            {
                "path": f"{tmp_path}/{{{{ 7*6 }}}}\n\\xff",
                "raw": base64.b64encode(odd).decode(),
                "what": ["modified"],
                "sha256": hashlib.sha256(b"y").hexdigest(),
                "expected": False,
                "seal": "unsealed",
                "class": None,
                "differs": [],
                "lays": None,
                "gains": [],
                "grants": [],
                "diff": None,
            },
        ],
        "count": 2,
        "truncated": False,
        "confidence": "exact",
        "first": "2026-01-02T03:04:03.178900Z",
        "last": "2026-01-02T03:04:04.678900Z",
    }


def test_expected_needs_path_and_digest_and_an_action(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path / "banner")
    (tmp_path / "banner").write_bytes(b"sealed")
    good = hashlib.sha256(b"sealed").hexdigest()
    assert expected(changes(path), {path: good}) == [True]
    assert expected(changes(path), {path: "0" * 64}) == [False]
    assert expected(changes(path), {path: None}) == [False]
    assert expected(changes(path), {}) == [False]
    assert expected(changes(path), {path: good}, Writer(kind=WriterKind.EXECUTABLE)) == [False]
    assert expected(changes(path, truncated=True), {path: good}) == [False]


def test_a_declared_absence_is_expected_once_it_is_gone(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path / "banner")
    assert expected(changes(path, what=What.DELETED), {path: None}) == [True]
    assert expected(changes(path, what=What.DELETED), {path: "0" * 64}) == [False]


def test_ansibles_temporary_file_is_expected_only_beside_its_target_and_gone(tmp_path: Path) -> None:
    here = os.fsencode(tmp_path)
    declared: dict[bytes, str | None] = {here + b"/banner": "0" * 64}
    assert expected(changes(here + b"/.ansible_tmpa1b2c3d4banner"), declared) == [True]
    assert expected(changes(here + b"/other"), declared) == [False]
    assert expected(changes(here + b"/below/.ansible_tmpa1b2c3d4banner"), declared) == [False]
    (tmp_path / ".ansible_tmpa1b2c3d4banner").touch()
    assert expected(changes(here + b"/.ansible_tmpa1b2c3d4banner"), declared) == [False]


def test_a_directory_made_above_a_declared_path_is_expected_but_not_another_change_of_one(
    tmp_path: Path,
) -> None:
    here = os.fsencode(tmp_path)
    declared: dict[bytes, str | None] = {here + b"/facts.d/hostseal.fact": "0" * 64}
    (tmp_path / "facts.d").mkdir()
    (tmp_path / "other").mkdir()
    assert expected(changes(here + b"/facts.d", what=What.CREATED), declared) == [True]
    assert expected(changes(here + b"/other", what=What.CREATED), declared) == [False]
    assert expected(changes(here + b"/facts.d", what=What.ATTRIBUTES), declared) == [False]


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "missing", "large"])
def test_only_regular_files_of_a_bearable_size_have_a_digest(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "link":
        (tmp_path / "target").write_bytes(b"x")
        path.symlink_to("target")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "large":
        path.write_bytes(b"x" * 11)
    change = PathChange(os.fsencode(path), (What.MODIFIED,))
    assert unjudged(change, ACTION, Confidence.EXACT, 10).sha256 is None


@pytest.mark.parametrize(("kind", "gained"), [(Kind.FILE, ["setuid"]), (Kind.DIRECTORY, []), (None, [])])
def test_a_file_that_gives_a_privilege_says_so(kind: Kind | None, gained: list[str]) -> None:
    verdict = Verdict(
        seal=Sealed.BROKEN,
        differences=(Difference(path="/a", change=Change.MODE, sealed="0755", found="4755"),),
    )
    looked = Looked(kind=kind, sha256=None, verdict=verdict)
    data = report(changes(b"/a"), ACTION, None, lambda *_: looked, now=NOW, monotonic=100.0)
    assert [path["gains"] for path in data["paths"]] == [gained]


def test_an_account_that_a_diff_makes_privileged_is_told() -> None:
    diff = {"text": "--- before\n+++ after\n@@ -0,0 +1 @@\n+toor:x:0:0::/:/bin/sh", "masked": 0, "cut": False}
    data = report(
        changes(b"/etc/passwd", b"/etc/x"),
        ACTION,
        None,
        now=NOW,
        monotonic=100.0,
        diffs={b"/etc/passwd": diff},
    )
    assert [path["grants"] for path in data["paths"]] == [[{"account": "toor", "by": "uid 0"}], []]
