"""By design is a path, what happened to it, and who did it, together."""

import pytest

from hostseal.config.by_design import BY_DESIGN
from hostseal.core.attribution import Confidence, Writer, WriterKind
from hostseal.core.by_design import ByDesign, Classes
from hostseal.core.change_set import What
from hostseal.core.seal import Personal

NETWORK = Writer(kind=WriterKind.EXECUTABLE, exe="/usr/bin/mv", unit="ifup@eth0.service")
ANYBODY = Writer(kind=WriterKind.UNKNOWN)
MODIFIED = (What.MODIFIED,)


def of(
    classes: Classes, path: bytes, writer: Writer = NETWORK, what: tuple[What, ...] = MODIFIED
) -> str | None:
    return classes.of(path, what, writer, Confidence.EXACT)


def test_a_path_is_of_the_class_that_names_it_for_the_units_that_write_it() -> None:
    classes = Classes(BY_DESIGN)
    assert of(classes, b"/etc/resolv.conf") == "resolv_conf"
    assert of(classes, b"/etc/resolv.conf.dhclient-new.417") == "resolv_conf"
    assert of(classes, b"/etc/resolv.con") is None
    assert of(classes, b"/etc/resolv.conf2") is None


@pytest.mark.parametrize(
    "writer",
    [
        ANYBODY,
        Writer(kind=WriterKind.EXECUTABLE, exe="/usr/bin/mv"),
        Writer(kind=WriterKind.EXECUTABLE, exe="/usr/bin/mv", unit="evil.service"),
        Writer(kind=WriterKind.EXECUTABLE, exe="/usr/bin/mv", role="systemd"),
        Writer(kind=WriterKind.SESSION, unit="networking.service", session={"user": "alice"}),
        Writer(kind=WriterKind.EXECUTABLE, unit="networking.service", via={"kind": "unit"}),
    ],
)
def test_another_writer_is_not(writer: Writer) -> None:
    assert of(Classes(BY_DESIGN), b"/etc/resolv.conf", writer) is None


def test_a_guess_excuses_nobody() -> None:
    classes = Classes(BY_DESIGN)
    assert classes.of(b"/etc/resolv.conf", MODIFIED, NETWORK, Confidence.UNKNOWN) is None
    assert classes.of(b"/etc/resolv.conf", MODIFIED, NETWORK, Confidence.INFERRED) == "resolv_conf"


def test_a_class_without_writers_excuses_whoever_it_is() -> None:
    classes = Classes({"open": ByDesign(reason="r", paths=("/etc/open",))})
    assert classes.of(b"/etc/open", MODIFIED, ANYBODY, Confidence.UNKNOWN) == "open"


def test_a_role_is_as_good_as_a_unit() -> None:
    classes = Classes(
        {"x": ByDesign(reason="r", paths=("/etc/x",), units=("a.service",), roles=("systemd",))}
    )
    systemd = Writer(kind=WriterKind.EXECUTABLE, unit="systemd-timedated.service", role="systemd")
    assert of(classes, b"/etc/x", systemd) == "x"
    assert of(classes, b"/etc/x", Writer(kind=WriterKind.EXECUTABLE, unit="a.service")) == "x"
    assert of(classes, b"/etc/x", NETWORK) is None


def test_all_that_happened_must_be_allowed() -> None:
    classes = Classes({"x": ByDesign(reason="r", paths=("/etc/x",), what=(What.MODIFIED, What.CREATED))})
    assert of(classes, b"/etc/x", what=(What.CREATED, What.MODIFIED)) == "x"
    assert of(classes, b"/etc/x", what=(What.MODIFIED, What.DELETED)) is None


def test_globs_match_component_by_component_and_what_is_below() -> None:
    classes = Classes({"x": ByDesign(reason="r", paths=("/etc/x/*.d",))})
    assert of(classes, b"/etc/x/a.d/b/c") == "x"
    assert of(classes, b"/etc/x/a/b.d") is None
    assert of(classes, b"/etc/x/\xff.d") == "x"


def test_a_class_without_paths_is_switched_off() -> None:
    assert (
        of(Classes({**BY_DESIGN, "resolv_conf": ByDesign(reason="r", paths=())}), b"/etc/resolv.conf") is None
    )


def test_what_is_there_is_compared_as_roots_own_file_of_the_host() -> None:
    reason = BY_DESIGN["resolv_conf"].reason
    assert Classes(BY_DESIGN).own("resolv_conf") == Personal(glob="/etc/resolv.conf", reason=reason)
