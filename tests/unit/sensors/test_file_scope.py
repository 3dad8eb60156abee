"""Which paths are watched."""

import os
from pathlib import Path

import pytest

from hostseal.sensors.file_scope import Position, Scope

SCOPE = Scope(["/sealed/etc", "/sealed/home/*/.ssh"], ["/sealed/etc/cache/*", "*.swp"])


@pytest.mark.parametrize(
    ("path", "position"),
    [
        (b"/", Position.ABOVE),
        (b"/sealed", Position.ABOVE),
        (b"/sealed/etc", Position.INSIDE),
        (b"/sealed/etc/a/b", Position.INSIDE),
        (b"/sealed/etcetera", Position.OUTSIDE),
        (b"/sealed/home", Position.ABOVE),
        (b"/sealed/home/alice", Position.ABOVE),
        (b"/sealed/home/.hidden", Position.ABOVE),
        (b"/sealed/home/\xff\n/.ssh", Position.INSIDE),
        (b"/sealed/home/alice/.ssh/authorized_keys", Position.INSIDE),
        (b"/sealed/home/alice/.sshd", Position.OUTSIDE),
        (b"/sealed/home/a/b/.ssh", Position.OUTSIDE),
        (b"/usr", Position.OUTSIDE),
    ],
)
def test_position(path: bytes, position: Position) -> None:
    assert SCOPE.position(path) is position


def test_excludes_are_left_out() -> None:
    assert SCOPE.holds(b"/sealed/etc/hosts")
    assert not SCOPE.holds(b"/sealed/etc/cache/a/b")
    assert not SCOPE.holds(b"/sealed/etc/.hosts.swp")
    assert not SCOPE.holds(b"/sealed/etc/\xff\n.swp")


def test_a_link_in_the_fixed_part_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    scope = Scope([f"{tmp_path}/link/*/.ssh"])
    assert scope.holds(os.fsencode(tmp_path / "real" / "alice" / ".ssh"))
    assert list(scope.bases()) == [os.fsencode(tmp_path / "real")]
