"""The connection under opa-python-client keeps to one authority, one token and one host, as a host's OPA wants it."""

import subprocess
from pathlib import Path

import pytest

from hostseal.errors import NoAnswerError
from hostseal.policy.engine import OpaEngine
from hostseal.policy.session import PolicySession
from policy.opa_server import TOKEN, OpaServer

PROFILE = "hostseal/host/profile"
ASKED = {"host": {"name": "web-1"}}


def engine(server: OpaServer, folder: Path, ca: Path, token: str = TOKEN) -> OpaEngine:
    (folder / "token").write_text(token)
    url = f"https://127.0.0.1:{server.port}"
    return OpaEngine(url, ca=ca, token_file=folder / "token", timeout_seconds=5.0)


def why(asking: OpaEngine) -> str:
    with pytest.raises(NoAnswerError) as caught:
        asking.ask(PROFILE, ASKED)
    return str(caught.value)


def test_another_authority_is_not_believed(server: OpaServer, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-noenc",
        "-subj",
        "/CN=x",
    ]
    subprocess.run(
        [*command, "-keyout", tmp_path / "key", "-out", other], check=True, capture_output=True, timeout=60
    )
    said = why(engine(server, tmp_path, other))
    assert "SSLError" in said
    assert "CERTIFICATE_VERIFY_FAILED" in said


def test_a_token_that_is_not_known_is_told_as_opas_answer(server: OpaServer, tmp_path: Path) -> None:
    assert "HTTP 401" in why(engine(server, tmp_path, server.folder / "server.pem", "another"))


def test_no_proxy_is_on_the_way(server: OpaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    asking = engine(server, tmp_path, server.folder / "server.pem")
    asking.check()
    # A profile is no decision: that it is said so means that the answer came.
    assert "no answer" not in why(asking)


def test_one_connection_serves_many_questions(server: OpaServer) -> None:
    with PolicySession(TOKEN, server.folder / "server.pem") as session:
        url = f"https://127.0.0.1:{server.port}/v1/data/{PROFILE}"
        answers = [session.post(url, json={"input": ASKED}, timeout=5.0) for _ in range(20)]
        assert [answer.json()["result"]["class"] for answer in answers] == ["immutable"] * 20
        [pool] = [session._direct.pools[key] for key in session._direct.pools.keys()]  # noqa: SIM118
        assert (pool.num_connections, pool.num_requests) == (1, 20)


@pytest.mark.parametrize(
    "wrong", [{"data": b"x"}, {"json": {}, "headers": {"a": "b"}}, {"json": {}, "verify": False}]
)
def test_what_it_does_not_do_it_refuses(server: OpaServer, wrong: dict[str, object]) -> None:
    with (
        PolicySession(TOKEN, server.folder / "server.pem") as session,
        pytest.raises(ValueError, match="nothing else"),
    ):
        session.post(f"https://127.0.0.1:{server.port}/", **wrong)
