"""Which accounts a change makes privileged: by the diffs that the agent itself makes."""

import pytest

from hostseal.core.grants import grants
from hostseal.core.text_diff import Bounds, unified

ROOT = "root:x:0:0:root:/root:/bin/bash\n"
BOB = "bob:x:1000:1000::/home/bob:/bin/sh\n"
GROUPS = "root:x:0:\nsudo:x:27:alice\nusers:x:100:\n"
PASSWD, GROUP = b"/etc/passwd", b"/etc/group"


def found(path: bytes, before: str | None, after: str | None) -> list[tuple[str, str]]:
    diff = unified(before, after, Bounds())
    assert diff is not None
    return [(one["account"], one["by"]) for one in grants(path, diff.text)]


@pytest.mark.parametrize(
    ("path", "before", "after", "wanted"),
    [
        (PASSWD, ROOT, ROOT + BOB, []),
        (PASSWD, ROOT, ROOT + "toor:x:0:0::/:/bin/sh\n", [("toor", "uid 0")]),
        (PASSWD, ROOT, ROOT + "toor:x:00:0::/:/bin/sh", [("toor", "uid 0")]),
        (PASSWD, ROOT + BOB, ROOT + BOB.replace("1000:1000", "0:1000"), [("bob", "uid 0")]),
        (PASSWD, ROOT, ROOT.replace("bash", "sh"), []),
        (PASSWD, ROOT + BOB, BOB, []),
        (PASSWD, None, ROOT, [("root", "uid 0")]),
        (PASSWD, ROOT, ROOT + "odd:x:zero:0::/:/bin/sh\n0:0:0\n", []),
        (GROUP, GROUPS, GROUPS.replace("27:alice", "27:alice,bob"), [("bob", "group sudo")]),
        (GROUP, GROUPS, GROUPS.replace("27:alice", "27:"), []),
        (GROUP, GROUPS, GROUPS.replace("100:", "100:bob"), []),
        (GROUP, GROUPS, GROUPS + "docker:x:999:bob,carol\n", [("bob", "group docker"), ("carol", "group docker")]),
        (b"/etc/hosts", GROUPS, GROUPS + "docker:x:999:bob\n", []),
    ],
)  # fmt: skip
def test_a_change(path: bytes, before: str | None, after: str | None, wanted: list[tuple[str, str]]) -> None:
    assert found(path, before, after) == wanted


def test_a_hostile_name_is_as_the_diff_shows_it() -> None:
    assert found(PASSWD, ROOT, ROOT + "a\x1b[2J:x:0:0::/:/bin/sh\n") == [("a\\x1b[2J", "uid 0")]
    assert grants(PASSWD, "") == []
