"""What is one host's alone goes out of an image; the running system is never touched."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from hostseal.images.secrets import find

SCRIPT = Path(__file__).parents[3] / "playbooks/pipeline/generalise.sh"
KEPT = {
    "etc/passwd": "root",
    "opt/hostseal/bin/x": "x",
    "etc/hostseal/opa/opa.yaml": "y",
    "home/alice/.bashrc": "b",
}
GONE = {
    "etc/hostname": "build",
    "etc/ssh/ssh_host_ed25519_key": "k",
    "etc/ssh/ssh_host_ed25519_key.pub": "k",
    "etc/hostseal/opa/token": "t",
    "etc/hostseal/opa/gate-token": "t",
    "etc/hostseal/opa/operator-token": "t",
    "etc/hostseal/opa/server.key": "t",
    "etc/hostseal/instance.json": "{}",
    "etc/hostseal/instance-id": "i",
    "etc/hostseal/enrolment.json": "{}",
    "home/alice/.ssh/authorized_keys": "k",
    "home/deploy/.bash_history": "h",
    "root/.ssh/authorized_keys": "k",
    "root/.ansible/tmp/x": "x",
    "var/lib/hostseal/fallback/login-1": "f",
    "var/log/hostseal/decisions.jsonl": "{}",
    "var/log/journal/0123/system.journal": "j",
    "var/log/auth.log": "a",
    "var/lib/systemd/random-seed": "r",
    "tmp/packer-shell": "p",
    "var/tmp/x": "x",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, content in {
        **KEPT,
        **GONE,
        "etc/machine-id": "6c0f\n",
        "etc/resolv.conf": "nameserver 1",
    }.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return tmp_path


def generalise(root: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([SCRIPT, str(root)], capture_output=True, text=True, timeout=60, check=False)


def test_what_is_one_hosts_alone_is_gone_and_all_else_stays(root: Path) -> None:
    done = generalise(root)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path: (root / path).read_text() for path in KEPT} == KEPT
    assert [path for path in GONE if (root / path).exists()] == []
    assert (root / "etc/machine-id").read_bytes() == (root / "etc/resolv.conf").read_bytes() == b""
    assert stat.S_IMODE((root / "etc/machine-id").stat().st_mode) == 0o444
    assert (root / "var/log/journal").is_dir()
    assert list(find(os.fsencode(root))) == []


def test_once_more_changes_nothing(root: Path) -> None:
    generalise(root)
    before = sorted((str(path), path.lstat().st_mode) for path in root.rglob("*"))
    assert generalise(root).returncode == 0
    assert sorted((str(path), path.lstat().st_mode) for path in root.rglob("*")) == before


@pytest.mark.parametrize("wrong", ["", "/", "//", "relative", "/nonexistent", "/etc/.."])
def test_the_running_system_is_no_image(wrong: str) -> None:
    before = Path("/etc/machine-id").read_bytes() if Path("/etc/machine-id").exists() else None
    assert generalise(wrong).returncode == 2
    assert before == (Path("/etc/machine-id").read_bytes() if before is not None else None)
