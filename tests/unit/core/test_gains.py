"""Which privileges a file gives that the seal's does not: by what a look at it, or a scan, says."""

import pytest

from hostseal.core.gains import gains
from hostseal.core.seal import Entry, Kind, Personal
from hostseal.core.seal_compare import differences

PLAIN = Entry(path="/usr/bin/x", kind=Kind.FILE, mode="0755", uid=0, gid=0, size=1, sha256="1" * 64)
ROOTS = Entry(path="/usr/bin/x", kind=Kind.FILE, mode="4755", uid=0, gid=0, size=1, sha256="1" * 64)
BOTH = Entry(path="/usr/bin/x", kind=Kind.FILE, mode="6755", uid=0, gid=0, size=1, sha256="2" * 64)
ABLE = Entry(
    path="/usr/bin/x", kind=Kind.FILE, mode="0755", uid=0, gid=0, size=1, xattrs={"security.capability": "01"}
)
ABLER = Entry(
    path="/usr/bin/x", kind=Kind.FILE, mode="0755", uid=0, gid=0, size=1, xattrs={"security.capability": "02"}
)
LINK = Entry(path="/usr/bin/x", kind=Kind.LINK, mode="0777", uid=0, gid=0, target="y")
FOLDER = Entry(path="/usr/bin/x", kind=Kind.DIRECTORY, mode="2755", uid=0, gid=0)
MINE = Personal(glob="/usr/bin/x", reason="its own")


@pytest.mark.parametrize(
    ("sealed", "now", "own", "gained"),
    [
        pytest.param(PLAIN, PLAIN, None, (), id="the same"),
        pytest.param(PLAIN, ROOTS, None, ("setuid",), id="setuid"),
        pytest.param(ROOTS, BOTH, None, ("setgid",), id="setgid as well"),
        pytest.param(BOTH, PLAIN, None, (), id="no longer"),
        pytest.param(None, BOTH, None, ("setuid", "setgid"), id="a new file"),
        pytest.param(None, PLAIN, None, (), id="a new file that gives nothing"),
        pytest.param(None, ROOTS, MINE, ("setuid",), id="a new file of the host's own"),
        pytest.param(LINK, ROOTS, None, ("setuid",), id="a file in a link's place"),
        pytest.param(PLAIN, ABLE, None, ("capability",), id="a capability"),
        pytest.param(ABLE, ABLER, None, ("capability",), id="another capability"),
        pytest.param(ABLE, PLAIN, None, (), id="a capability no longer"),
        pytest.param(None, ABLE, None, ("capability",), id="a new file with a capability"),
        pytest.param(None, FOLDER, None, (), id="a new directory"),
        pytest.param(PLAIN, None, None, (), id="gone"),
    ],
)
def test_a_path(
    sealed: Entry | None, now: Entry | None, own: Personal | None, gained: tuple[str, ...]
) -> None:
    assert gains(differences(sealed, now, own)) == gained
