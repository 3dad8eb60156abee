"""Verdicts: what differs breaks the seal, a class forgives a content and nothing else."""

import pytest

from hostseal.core.seal import Entry, Kind, Personal
from hostseal.core.seal_compare import Change, Difference
from hostseal.core.verdict import Design, Sealed, judged, unreadable, unsealed

SEALED = Entry(path="/etc/a", kind=Kind.FILE, mode="0644", uid=0, gid=0, size=1, sha256="1" * 64)
EDITED = Entry(path="/etc/a", kind=Kind.FILE, mode="0644", uid=0, gid=0, size=2, sha256="2" * 64)
OPENED = Entry(path="/etc/a", kind=Kind.FILE, mode="0666", uid=0, gid=0, size=2, sha256="2" * 64)
MINE = Personal(glob="/etc/a", reason="its own")
LOG = Design("logs", Personal(glob="/etc/a", reason="a log"))


@pytest.mark.parametrize(
    ("sealed", "now", "own", "design", "seal", "differs"),
    [
        pytest.param(SEALED, SEALED, None, None, Sealed.TOUCHED, [], id="the same again"),
        pytest.param(None, None, None, None, Sealed.TOUCHED, [], id="came and went"),
        pytest.param(SEALED, EDITED, None, None, Sealed.BROKEN, ["content"], id="edited"),
        pytest.param(SEALED, OPENED, None, None, Sealed.BROKEN, ["mode", "content"], id="edited and opened"),
        pytest.param(SEALED, None, None, None, Sealed.BROKEN, ["missing"], id="gone"),
        pytest.param(None, EDITED, None, None, Sealed.BROKEN, ["added"], id="new"),
        pytest.param(SEALED, EDITED, MINE, None, Sealed.OWN, [], id="the host's own"),
        pytest.param(None, OPENED, MINE, None, Sealed.BROKEN, ["unsafe"], id="the host's own, open to all"),
        pytest.param(SEALED, EDITED, None, LOG, Sealed.BY_DESIGN, ["content"], id="by design"),
        pytest.param(SEALED, None, None, LOG, Sealed.BY_DESIGN, ["missing"], id="by design, gone"),
        pytest.param(None, EDITED, None, LOG, Sealed.BY_DESIGN, ["added"], id="by design, new"),
        pytest.param(
            SEALED, OPENED, None, LOG, Sealed.BROKEN, ["mode", "content"], id="no class opens a file"
        ),
        pytest.param(SEALED, SEALED, None, LOG, Sealed.TOUCHED, [], id="by design, and the same"),
    ],
)
def test_a_path(
    sealed: Entry | None,
    now: Entry | None,
    own: Personal | None,
    design: Design | None,
    seal: Sealed,
    differs: list[str],
) -> None:
    found = judged(sealed, now, own, design)
    assert (found.seal, found.differs) == (seal, differs)
    assert found.design == ("logs" if seal is Sealed.BY_DESIGN else None)


def test_without_a_manifest_only_what_is_by_design_is_told_apart() -> None:
    assert unsealed(EDITED, None).seal is Sealed.UNSEALED
    assert unsealed(EDITED, LOG).seal is Sealed.BY_DESIGN
    assert unsealed(OPENED, LOG).seal is Sealed.UNSEALED


def test_what_cannot_be_read_is_never_intact() -> None:
    found = unreadable("/etc/a", "Input/output error")
    assert found.seal is Sealed.BROKEN
    assert found.differences == (
        Difference(path="/etc/a", change=Change.UNREADABLE, found="Input/output error"),
    )
