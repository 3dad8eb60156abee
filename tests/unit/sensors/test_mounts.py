"""Reading mountinfo, and which mounts matter."""

import base64
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from hostseal.sensors import mounts
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.mounts import Mount

TEXT = b"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /proc rw - proc proc rw
24 22 8:1 / /home rw shared:2 master:3 - xfs /dev/sda1 rw
25 24 8:2 / /home/a\\040b rw - xfs /dev/sda2 rw
26 22 8:3 /sub/dir /usr/local ro - btrfs /dev/sda3 rw
27 22 8:4 / /srv rw - ext4 /dev/sda4 rw
28 24 8:5 / /home rw - xfs /dev/sda5 rw
"""
ROOT, _, _, SPACE, LOCAL, _, HOME = mounts.parse(TEXT)


def test_fields_and_escapes() -> None:
    assert Mount(25, "8:2", b"/", b"/home/a b", "xfs", "rw") == SPACE
    assert Mount(26, "8:3", b"/sub/dir", b"/usr/local", "btrfs", "ro") == LOCAL


def test_the_latest_mount_at_a_place_hides_the_earlier() -> None:
    assert mounts.holder(mounts.parse(TEXT), b"/home/x") == HOME
    assert mounts.holder(mounts.parse(TEXT), b"/homes") == ROOT


def test_watched_are_the_holders_and_what_is_mounted_below() -> None:
    found = mounts.watched(mounts.parse(TEXT), Scope(["/usr", "/home/*/.ssh"]))
    assert {ROOT, LOCAL, HOME, SPACE} <= set(found)
    assert not {mount.point for mount in found} & {b"/proc", b"/srv"}


def test_this_machines_own_table_is_readable() -> None:
    with mounts.MountTable() as table:
        first = table.read()
        assert first == table.read()
    assert any(mount.point == b"/" for mount in first)
    assert mounts.own()


def test_what_has_changed_of_the_mounts_is_told_with_its_place_and_kind() -> None:
    told: list[tuple[str, str, Mapping[str, Any]]] = []
    more = Mount(40, "0:9", b"/", b"/usr/\xff", "tmpfs", "rw")
    hardened = replace(LOCAL, options="ro,nosuid")
    mounts.tell([ROOT, LOCAL, SPACE], [ROOT, hardened, more], lambda *loss: told.append(loss))
    assert sorted(told) == [
        (
            "mounts_changed",
            "/home/a b",
            {"mounted": False, "type": None, "path": base64.b64encode(b"/home/a b").decode()},
        ),
        (
            "mounts_changed",
            "/usr/\\xff",
            {"mounted": True, "type": "tmpfs", "path": base64.b64encode(b"/usr/\xff").decode()},
        ),
        (
            "mounts_changed",
            "/usr/local",
            {
                "mounted": True,
                "type": "btrfs",
                "remounted": ["ro", "ro,nosuid"],
                "path": base64.b64encode(b"/usr/local").decode(),
            },
        ),
    ]


def test_another_mount_at_the_same_place_is_told_once() -> None:
    told: list[str] = []
    over = replace(LOCAL, number=41, device="0:12")
    mounts.tell([LOCAL], [over], lambda _, scope, __: told.append(scope))
    assert told == ["/usr/local"]
