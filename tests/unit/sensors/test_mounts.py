"""Reading mountinfo, and which mounts matter."""

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
