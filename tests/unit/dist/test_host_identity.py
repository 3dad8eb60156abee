"""The program that makes a host's own certificate and token: what is good stays, what is not is made anew."""

import hashlib
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "agent/dist/libexec/host-identity"
TOKENS = {"agent": "token", "gate": "gate-token", "operator": "operator-token"}
SECRET = dict.fromkeys(["authz.json", "server.key", *TOKENS.values()], 0o600)
FILES = {**SECRET, "ca.pem": 0o644, "server.pem": 0o644}
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 and "CI" not in os.environ, reason="it works below /run and gives a folder to a group"
)


def ensure(folder: Path, *options: str) -> list[str]:
    argv = ["/usr/bin/python3", "-ISE", SCRIPT, "ensure", folder, "--group", "root", *options]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    found: list[str] = json.loads(done.stdout)["changed"]
    return found


@pytest.fixture
def opa(tmp_path: Path) -> Path:
    ensure(tmp_path / "opa")
    return tmp_path / "opa"


def test_all_is_made_once_for_root_alone(tmp_path: Path) -> None:
    opa = tmp_path / "opa"
    assert ensure(opa) == ["directory", "certificate", "token", "authz"]
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in opa.iterdir()} == FILES
    assert stat.S_IMODE(opa.stat().st_mode) == 0o750
    before = {path.name: path.read_bytes() for path in opa.iterdir()}
    assert ensure(opa) == []
    assert {path.name: path.read_bytes() for path in opa.iterdir()} == before
    assert not list(Path("/run").glob("hostseal-identity-*"))


def test_the_policy_engine_is_told_the_tokens_digests_and_nothing_more(opa: Path) -> None:
    tokens = {client: (opa / name).read_bytes() for client, name in TOKENS.items()}
    digests = {client: hashlib.sha256(token).hexdigest() for client, token in tokens.items()}
    told = json.loads((opa / "authz.json").read_bytes())
    clients = {client: {"token_sha256": digest} for client, digest in digests.items()}
    assert told == {"hostseal_local": {"token_sha256": digests["agent"], "clients": clients}}
    assert len(set(tokens.values())) == len(TOKENS)
    assert all(len(token) >= 43 and not token.endswith(b"\n") for token in tokens.values())


def test_a_host_with_one_token_keeps_it_and_gets_the_others(opa: Path) -> None:
    token = (opa / "token").read_bytes()
    (opa / "gate-token").unlink()
    (opa / "operator-token").unlink()
    digest = hashlib.sha256(token).hexdigest()
    (opa / "authz.json").write_text(json.dumps({"hostseal_local": {"token_sha256": digest}}))
    assert ensure(opa) == ["token", "authz"]
    assert (opa / "token").read_bytes() == token
    assert {path.name for path in opa.iterdir()} == set(FILES)


def test_a_check_says_what_is_missing_and_changes_nothing(tmp_path: Path, opa: Path) -> None:
    assert ensure(tmp_path / "new", "--check") == ["directory", "certificate", "token", "authz"]
    assert not (tmp_path / "new").exists()
    (opa / "token").unlink()
    assert ensure(opa, "--check") == ["token", "authz"]
    assert not (opa / "token").exists()


@pytest.mark.parametrize(
    ("damage", "made"),
    [
        (lambda opa: (opa / "server.key").unlink(), ["certificate"]),
        (lambda opa: (opa / "ca.pem").unlink(), ["certificate"]),
        (lambda opa: (opa / "server.pem").write_text("no certificate"), ["certificate"]),
        (lambda opa: (opa / "ca.pem").write_bytes((opa / "server.pem").read_bytes()), ["certificate"]),
        (lambda opa: (opa / "token").unlink(), ["token", "authz"]),
        (lambda opa: (opa / "operator-token").unlink(), ["token", "authz"]),
        (lambda opa: (opa / "token").write_text("another"), ["authz"]),
        (lambda opa: (opa / "authz.json").unlink(), ["authz"]),
        (lambda opa: opa.chmod(0o755), ["directory"]),
    ],
)
def test_what_is_damaged_is_made_anew_and_no_more(opa: Path, damage: object, made: list[str]) -> None:
    damage(opa)  # type: ignore[operator]
    assert ensure(opa) == made
    assert ensure(opa) == []


def test_a_certificate_near_its_end_is_made_anew(opa: Path) -> None:
    assert ensure(opa, "--renew-days", "396") == []
    assert ensure(opa, "--renew-days", "397") == ["certificate"]


def test_the_certificate_is_for_the_loopback_and_by_an_authority_whose_key_is_gone(opa: Path) -> None:
    argv = ["openssl", "verify", "-purpose", "sslserver", "-verify_ip", "127.0.0.1", "-CAfile"]
    assert subprocess.run([*argv, opa / "ca.pem", opa / "server.pem"], check=False).returncode == 0
    keys = [path for path in opa.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert keys == [opa / "server.key"]
