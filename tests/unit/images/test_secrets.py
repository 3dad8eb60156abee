"""What an image must not hold is found wherever it is planted, and what is public is not taken for it."""

import os
from pathlib import Path

import pytest

from hostseal.images.secrets import find

PEM = "-----BEGIN PRIVATE KEY-----\n" + "MC4CAQAwBQYDK2VwBCIEI" * 4 + "\n-----END PRIVATE KEY-----\n"


def plant(root: Path, path: str, content: str | bytes) -> None:
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/etc/ssh/ssh_host_ed25519_key", ""),
        ("/etc/ssh/ssh_host_rsa_key.pub", ""),
        ("/home/deploy/.ssh/authorized_keys", ""),
        ("/root/.ssh/id_ed25519", ""),
        ("/etc/hostseal/opa/token", ""),
        ("/etc/hostseal/opa/gate-token", ""),
        ("/etc/hostseal/opa/operator-token", ""),
        ("/etc/hostseal/opa/server.key", ""),
        ("/etc/hostseal/instance.json", "{}"),
        ("/etc/hostseal/instance-id", "i"),
        ("/etc/hostseal/enrolment.json", "{}"),
        ("/etc/hostseal/ledger/token", ""),
        ("/var/lib/systemd/random-seed", ""),
        ("/root/.bash_history", ""),
        ("/etc/machine-id", "6c0f\n"),
        ("/var/log/auth.log", "somebody"),
        ("/usr/share/app/any.name", "x\n" + PEM),
        ("/opt/app/key", PEM.replace("PRIVATE", "OPENSSH PRIVATE")),
        ("/opt/app/dos", PEM.replace("\n", "\r\n")),
        ("/opt/app/old", PEM.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\n", 1)),
    ],
)
def test_a_planted_secret_is_found(tmp_path: Path, path: str, content: str) -> None:
    plant(tmp_path, path, content)
    assert [found for found, _ in find(os.fsencode(tmp_path))] == [path.encode()]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/etc/machine-id", ""),
        ("/var/log/wtmp", ""),
        ("/etc/hostseal/seal.pub", "-----BEGIN PUBLIC KEY-----\n" + "A" * 80),
        ("/usr/share/man/man5/authorized_keys.5.gz", "x"),
        ("/usr/lib/libtls.so", b"\x7fELF\2" + PEM.encode()),
        ("/usr/share/doc/howto", "-----BEGIN PRIVATE KEY-----\n...\n"),
    ],
)
def test_what_is_public_is_no_secret(tmp_path: Path, path: str, content: str | bytes) -> None:
    plant(tmp_path, path, content)
    assert list(find(os.fsencode(tmp_path))) == []


def test_links_are_not_followed_and_names_need_not_be_text(tmp_path: Path) -> None:
    plant(tmp_path, "/opt/x", PEM)
    os.symlink("x", tmp_path / "opt/link")
    os.mkfifo(tmp_path / "opt/pipe")
    os.rename(os.fsencode(tmp_path / "opt/x"), os.fsencode(tmp_path / "opt") + b"/\xff")
    assert [path for path, _ in find(os.fsencode(tmp_path))] == [b"/opt/\xff"]
