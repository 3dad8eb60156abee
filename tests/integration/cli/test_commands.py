"""The command line: exit codes and errors that a person can act on."""

import subprocess
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

INCIDENT = "11111111-2222-3333-4444-555555555555"


def hostseal(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "hostseal", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_bad_setting_is_one_sentence_with_its_place_and_exit_2(tmp_path: Path) -> None:
    file = tmp_path / "10-site.toml"
    file.write_text('[files]\nbackend = "fanotif"\n')
    done = hostseal("config", "check", file)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "hostseal: files.backend: 'fanotif' is not one of auto, fanotify, inotify",
        f"  -> {file}:2",
    ]


def test_good_settings_exit_0(tmp_path: Path) -> None:
    file = tmp_path / "source"
    file.write_text('[files]\nbackend = "inotify"\n')
    assert hostseal("config", "check", file).returncode == 0


def test_a_pardon_is_signed_and_bad_keys_are_named(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    good, bad = tmp_path / "pardon.key", tmp_path / "bad.key"
    good.write_bytes(key)
    bad.write_text("no key")
    words = ("flag", "pardon", "--reason", "a drill", "--host", "web-1", "--incident", INCIDENT, "--key")
    assert '"reason":"a drill"' in hostseal(*words, good).stdout
    refused = hostseal(*words, bad)
    assert refused.returncode == 2
    assert str(bad) in refused.stderr


def test_without_an_agent_log_and_status_say_so(tmp_path: Path) -> None:
    for command in ("log", "status"):
        done = hostseal(command, "--state", tmp_path)
        assert done.returncode == 1
        assert "there is no spool" in done.stderr
