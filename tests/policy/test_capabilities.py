"""What policies may call: the pinned OPA's builtins, but for what reads the clock, the network or a die."""

import json
import subprocess
from pathlib import Path

import pytest

from hostseal.errors import PolicyError
from hostseal.policy import capabilities

CALLS = {
    "crypto.x509.parse_and_verify_certificates": '("")',
    "crypto.x509.parse_and_verify_certificates_with_options": '("", {})',
    "http.send": '({"method": "get", "url": "https://opa.example.org"})',
    "io.jwt.decode_verify": '("", {})',
    "io.jwt.encode_sign": "({}, {}, {})",
    "io.jwt.encode_sign_raw": '("", "", "")',
    "net.lookup_ip_addr": '("opa.example.org")',
    "opa.runtime": "()",
    "rand.intn": '("x", 6)',
    "time.now_ns": "()",
    "uuid.rfc4122": '("x")',
}


def test_the_file_is_what_the_installed_opa_can_do_without_what_is_forbidden(
    opa: Path, policies: Path
) -> None:
    assert (policies / capabilities.FILE).read_text() == capabilities.of(opa), (
        "python -m hostseal.policy.capabilities > policies/capabilities.json"
    )


def test_whatever_opa_itself_calls_nondeterministic_is_forbidden(opa: Path) -> None:
    current = json.loads(
        subprocess.run([opa, "capabilities", "--current"], capture_output=True, check=True).stdout
    )
    marked = {one["name"] for one in current["builtins"] if one.get("nondeterministic")}
    assert marked <= set(capabilities.FORBIDDEN)
    assert set(capabilities.FORBIDDEN) <= {one["name"] for one in current["builtins"]}


@pytest.mark.parametrize("name", sorted(capabilities.FORBIDDEN))
def test_a_policy_that_calls_it_does_not_compile(
    opa: Path, policies: Path, tmp_path: Path, name: str
) -> None:
    policy = tmp_path / "calls.rego"
    policy.write_text(f"package calls\n\nanswer := {name}{CALLS[name]}\n")
    command = [opa, "check", policy]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    command += ["--capabilities", policies / capabilities.FILE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"undefined function {name}" in done.stderr


def test_no_schema_is_fetched(opa: Path, policies: Path, tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/input.json").write_text('{"$ref": "http://127.0.0.1:9/schema.json"}')
    policy = tmp_path / "asks.rego"
    policy.write_text(
        "# METADATA\n# schemas:\n#   - input: schema.input\npackage asks\n\nanswer := input.event\n"
    )
    command = [
        opa,
        "check",
        policy,
        "--schema",
        tmp_path / "schemas",
        "--capabilities",
        policies / capabilities.FILE,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "remote reference loading disabled" in done.stderr


def test_a_program_that_is_no_opa_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"does not say what it can do.*missing"):
        capabilities.of(tmp_path / "missing")
