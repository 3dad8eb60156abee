"""`hostseal enrol issue`: a credential that holds, for the place that was named, until it expires."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hostseal import keys
from hostseal.core.enrolment import Place, verify

INSTANCE = "5f0c954e-6a52-4c3e-9c39-5d2e6a7b8f10"


def issue(key: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    argv = [
        Path(sys.executable).with_name("hostseal"),
        "enrol",
        "issue",
        "--slot",
        "web-1",
        "--generation",
        "2",
    ]
    argv += ["--instance", INSTANCE, "--host", "web-1-g2", "--image", "sha256:0", "--key", key, *more]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def test_a_credential_is_for_the_place_that_was_named_and_each_has_its_own_number(tmp_path: Path) -> None:
    key = keys.ensure_pair(tmp_path, "enrolment")
    public, now = keys.public_key(key.with_suffix(".pub")), datetime.now(UTC)
    first, second = (
        verify(json.loads(issue(key, "--valid-minutes", "5").stdout), public, now) for _ in range(2)
    )
    assert first.place == Place(
        slot="web-1", generation=2, instance=INSTANCE, host="web-1-g2", image="sha256:0"
    )
    assert first.nonce != second.nonce
    expires = datetime.fromisoformat(first.expires)
    assert timedelta(minutes=4) < expires - now <= timedelta(minutes=6)


def test_a_key_that_is_none_is_2_and_named(tmp_path: Path) -> None:
    (tmp_path / "x.key").write_text("no key")
    done = issue(tmp_path / "x.key")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not an unencrypted PEM private key" in done.stderr
    assert str(tmp_path / "x.key") in done.stderr
