"""Which opa and which go are taken from a PATH."""

from pathlib import Path

import pytest

from frame.candidates import least_go, pinned, usable_go, usable_opa, usable_tofu

GO_MOD = """\
module example

go 1.26.0

tool github.com/open-policy-agent/opa

require (
\tgithub.com/open-policy-agent/opa v1.20.2 // indirect
\tgithub.com/open-policy-agent/opa-extras v9.9.9 // indirect
)
"""
LEAST_OPA = (1, 20, 2)
LEAST_GO = (1, 26, 0)


def program(folder: Path, name: str, *, says: str, status: int = 0) -> Path:
    """Put a program into a folder that prints these words whatever it is asked."""
    folder.mkdir(exist_ok=True)
    made = folder / name
    made.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\nexit {status}\n")
    made.chmod(0o755)
    return made


def opa(folder: Path, version: str) -> Path:
    return program(
        folder, "opa", says=f"Version: {version}\nBuild Commit: \nGo Version: go1.27.0\nRego Version: v1"
    )


def go(folder: Path, version: str) -> Path:
    return program(folder, "go", says=f"go version go{version} linux/amd64")


def path_of(*folders: Path) -> str:
    return ":".join(map(str, folders))


def test_the_pinned_version_is_that_of_the_whole_module_name() -> None:
    assert pinned(GO_MOD, "github.com/open-policy-agent/opa") == (1, 20, 2)


def test_a_module_that_is_not_pinned_is_an_error() -> None:
    with pytest.raises(LookupError, match="regal"):
        pinned(GO_MOD, "github.com/open-policy-agent/regal")


def test_the_least_go_is_the_go_directive() -> None:
    assert least_go(GO_MOD) == (1, 26, 0)


@pytest.mark.parametrize("version", ["1.20.2", "1.20.3", "1.21.0", "v1.20.2", "1.100.0"])
def test_an_opa_at_or_above_the_pin_is_taken(tmp_path: Path, version: str) -> None:
    there = opa(tmp_path / "bin", version)
    assert usable_opa(path_of(tmp_path / "bin"), LEAST_OPA, except_in=tmp_path / "ours") == there


@pytest.mark.parametrize("version", ["1.20.1", "1.9.0", "0.99.9", "2.0.0", "1.21.0-rc1", "soon"])
def test_an_opa_below_the_pin_or_of_another_kind_is_not_taken(tmp_path: Path, version: str) -> None:
    opa(tmp_path / "bin", version)
    assert usable_opa(path_of(tmp_path / "bin"), LEAST_OPA, except_in=tmp_path / "ours") is None


def test_a_later_opa_on_path_is_taken_when_the_first_is_too_old(tmp_path: Path) -> None:
    opa(tmp_path / "old", "1.2.0")
    good = opa(tmp_path / "good", "1.20.2")
    path = path_of(tmp_path / "absent", tmp_path / "old", tmp_path / "good")
    assert usable_opa(path, LEAST_OPA, except_in=tmp_path / "ours") == good


def test_our_own_link_is_no_candidate(tmp_path: Path) -> None:
    opa(tmp_path / "ours", "1.20.2")
    assert usable_opa(path_of(tmp_path / "ours"), LEAST_OPA, except_in=tmp_path / "ours") is None


def test_an_opa_that_fails_or_cannot_run_is_no_candidate(tmp_path: Path) -> None:
    program(tmp_path / "failing", "opa", says="Version: 1.20.2", status=1)
    opa(tmp_path / "plain", "1.20.2").chmod(0o644)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "opa").write_bytes(b"\x7fELF not really")
    (broken / "opa").chmod(0o755)
    path = path_of(tmp_path / "failing", tmp_path / "plain", broken)
    assert usable_opa(path, LEAST_OPA, except_in=tmp_path / "ours") is None


def test_an_empty_path_has_no_candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    opa(tmp_path, "1.20.2")
    assert usable_opa("::", LEAST_OPA, except_in=tmp_path / "ours") is None


@pytest.mark.parametrize("version", ["1.26.0", "1.26", "1.27.3", "2.0.1"])
def test_a_go_new_enough_is_taken(tmp_path: Path, version: str) -> None:
    there = go(tmp_path / "bin", version)
    assert usable_go(path_of(tmp_path / "bin"), LEAST_GO) == there


@pytest.mark.parametrize("version", ["1.25.9", "1.9.1", "1.26rc1"])
def test_a_go_too_old_is_not_taken(tmp_path: Path, version: str) -> None:
    go(tmp_path / "bin", version)
    assert usable_go(path_of(tmp_path / "bin"), LEAST_GO) is None


def test_a_tofu_is_taken_before_a_terraform_wherever_they_are(tmp_path: Path) -> None:
    program(tmp_path / "first", "terraform", says="Terraform v1.11.4\non linux_amd64")
    wanted = program(tmp_path / "second", "tofu", says="OpenTofu v1.9.0\non linux_amd64")
    assert usable_tofu(path_of(tmp_path / "first", tmp_path / "second"), except_in=tmp_path / "x") == wanted


@pytest.mark.parametrize("version", ["1.4.9", "0.15.0", "2.0.0"])
def test_a_tofu_that_is_too_old_or_of_another_major_version_is_not_taken(
    tmp_path: Path, version: str
) -> None:
    program(tmp_path / "bin", "tofu", says=f"OpenTofu v{version}")
    wanted = program(tmp_path / "bin", "terraform", says="Terraform v1.5.0")
    assert usable_tofu(str(tmp_path / "bin"), except_in=tmp_path / "x") == wanted


def test_our_own_link_to_tofu_is_no_candidate(tmp_path: Path) -> None:
    program(tmp_path / "bin", "tofu", says="OpenTofu v1.9.0")
    assert usable_tofu(str(tmp_path / "bin"), except_in=tmp_path / "bin") is None
