"""A host's OPA believes only the operator's bundle and answers only whoever has the token."""

import contextlib
import http.client
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from hostseal.policy import bundle, signing
from policy.conftest import Signed
from policy.opa_server import TOKEN, OpaServer

DECISION = "/v1/data/hostseal/event/decision"
EVENT = json.loads((Path(__file__).parents[1] / "samples" / "events" / "channel_shell.json").read_bytes())
STANDING = {"state": "sealed", "incident": None}
QUESTION = {"input": {"event": EVENT, "standing": STANDING}}


def test_the_token_gets_a_decision(server: OpaServer) -> None:
    status, answer = server.ask(DECISION, QUESTION)
    assert (status, answer["result"]["would"]) == (200, ["flag"])


@pytest.mark.parametrize("token", [None, "", "another-token", "a-token-of-the-tes"])
def test_without_the_token_there_is_no_decision(server: OpaServer, token: str | None) -> None:
    status, answer = server.ask(DECISION, QUESTION, token=token)
    assert (status, answer["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/data/hostseal/site/default/mode"),
        ("PATCH", "/v1/data/hostseal/site"),
        ("PUT", "/v1/policies/mine"),
        ("GET", "/v1/policies"),
        ("GET", "/v1/data/hostseal_local"),
        ("GET", "/v1/data"),
        ("POST", "/v1/query"),
        ("GET", "/v1/config"),
    ],
)
def test_the_token_neither_changes_nor_reads_anything_else(server: OpaServer, method: str, path: str) -> None:
    assert server.ask(path, {}, method=method)[0] == 401


def test_health_and_metrics(server: OpaServer) -> None:
    assert server.health() == 200
    assert server.ask("/metrics", token=None, method="GET")[0] == 401


def plain_text_answer(port: int) -> tuple[int, bytes] | None:
    """Return what comes back for a request without TLS; None when the connection is reset."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            connection.request("POST", DECISION, json.dumps(QUESTION), {"Authorization": f"Bearer {TOKEN}"})
            with connection.getresponse() as response:
                return response.status, response.read()
        except (ConnectionResetError, BrokenPipeError):
            return None


def test_plain_text_is_refused(server: OpaServer) -> None:
    refusal = 400, b"Client sent an HTTP request to an HTTPS server.\n"
    assert plain_text_answer(server.port) in {None, refusal}


def test_the_decision_log_has_input_result_and_revision(server: OpaServer, signed: Signed) -> None:
    answer = server.decide(EVENT, STANDING)
    entry = server.decision_log(answer["decision_id"])
    assert entry["msg"] == "Decision Log"
    assert entry["path"] == "hostseal/event/decision"
    assert entry["input"] == QUESTION["input"]
    assert entry["result"] == answer["result"]
    assert entry["bundles"] == {"hostseal": {"revision": signed.revision}}


def repacked(path: Path, change: dict[str, bytes | None]) -> bytes:
    """Return the bundle with other contents under the same names; None takes a file out."""
    written = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=written, mode="w:gz") as new:
        assert set(change) <= set(old.getnames())
        for member in old.getmembers():
            file = old.extractfile(member)
            assert file is not None
            content = change.get(member.name, file.read())
            if content is not None:
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
    return written.getvalue()


def refuses(opa: Path, folder: Path, path: Path, public: Path, why: str) -> None:
    with OpaServer(opa, folder, path, public) as server:
        server.wait_for(500)
        assert why in server.wait_for_log("Bundle load failed")
        status, answer = server.ask(DECISION, QUESTION)
        assert (status, "result" in answer) == (500, False)


def test_a_bundle_with_other_data_is_refused(opa: Path, signed: Signed, tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    other.write_bytes(repacked(signed.path, {"/data.json": b'{"hostseal": {}}'}))
    refuses(opa, tmp_path, other, signed.public, "digest mismatch")


def test_a_bundle_without_a_rule_is_refused(opa: Path, signed: Signed, tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    rule = "/hostseal/rules/interactive_session/interactive_session.rego"
    other.write_bytes(repacked(signed.path, {rule: None}))
    refuses(opa, tmp_path, other, signed.public, "interactive_session")


def test_an_unsigned_bundle_is_refused(
    opa: Path, policies: Path, site: dict[str, Any], signed: Signed, tmp_path: Path
) -> None:
    other = tmp_path / "other.tar.gz"
    bundle.build(opa, policies, site, other, None)
    refuses(opa, tmp_path, other, signed.public, "bundle missing .signatures.json")


def test_a_bundle_signed_by_another_key_is_refused(
    opa: Path, policies: Path, site: dict[str, Any], signed: Signed, tmp_path: Path
) -> None:
    other = tmp_path / "other.tar.gz"
    signing.generate_key_pair(tmp_path / "key", tmp_path / "pub")
    bundle.build(opa, policies, site, other, tmp_path / "key")
    refuses(opa, tmp_path, other, signed.public, "failed to verify")


def test_without_the_hosts_digest_nobody_gets_an_answer(opa: Path, signed: Signed, tmp_path: Path) -> None:
    with OpaServer(opa, tmp_path, signed.path, signed.public) as server:
        server.wait_for(200)
    (tmp_path / "authz.json").write_text("{}")
    with server:
        server.wait_for(200)
        assert server.ask(DECISION, QUESTION)[0] == 401
