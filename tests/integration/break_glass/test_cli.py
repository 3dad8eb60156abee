"""`hostseal break-glass`, as an operator runs it, with a real OPA and a real ssh-keygen."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hostseal.clock import SystemClock
from hostseal.core.lifecycle import Instance, Life, State
from hostseal.fleet.holder import this_process
from hostseal.fleet.store import LifeStore
from hostseal.ledger.book import Ledger

INSTANCE = "97f70f8ffec04d73afb0ef26920bf1bd"
PASSPHRASE = "correct horse"


class Operator:
    """A folder with an authority, the site's data and a record."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        keygen(folder / "authority")
        self.site(max_seconds=3600, max_total_seconds=5400)

    def site(self, **limits: Any) -> None:
        said = subprocess.run(
            ["ssh-keygen", "-lf", self.folder / "authority.pub"], capture_output=True, text=True, check=True
        )
        data = {"break_glass": {"authorities": [said.stdout.split()[1]], **limits}}
        (self.folder / "site.json").write_text(json.dumps(data))

    def run(self, *words: object, **options: Any) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, "-m", "hostseal", "break-glass", *map(str, words)]
        return subprocess.run(
            [*argv, "--record", "record"], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False,
            **options,
        )  # fmt: skip

    def grant(self, *more: object, **options: Any) -> "subprocess.CompletedProcess[str]":
        return self.run(
            "grant", "--user", "alice", "--host", "web-1", "--instance", INSTANCE, "--ticket", "INC-1",
            "--reason", "the disk is full", "--person", "carol", "--authority", "authority", "--site", "site.json",
            *more, **options,
        )  # fmt: skip

    def extend(self, identity: str, *more: object) -> "subprocess.CompletedProcess[str]":
        words = ["--key", "web-1", "--authority", "authority", "--site", "site.json", *more]
        return self.run("extend", identity, *words)

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run("list", "--json").stdout)
        return found

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


def keygen(path: Path, *more: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, *more], check=True, timeout=30)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_a_grant_is_a_key_a_certificate_and_a_record_that_nobody_else_can_read(operator: Operator) -> None:
    done = operator.grant()
    assert done.returncode == 0, done.stderr
    assert "ssh -i web-1 -o CertificateFile=web-1-cert.pub alice@web-1" in done.stdout
    for name in ("web-1", "web-1-cert.pub", "record/grants.jsonl"):
        assert stat.S_IMODE((operator.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((operator.folder / "record").stat().st_mode) == 0o700
    [row] = operator.listed()
    assert (row["state"], row["asked"], row["valid_before"] - row["valid_after"]) == ("holds", "grant", 1860)
    assert row["grant"]["ticket"] == "INC-1"
    assert abs(row["valid_before"] - 1800 - time.time()) < 60
    assert "holds" in operator.run("list").stdout


def test_the_policy_refuses_what_is_too_long_and_nothing_is_made(operator: Operator) -> None:
    before = operator.names()
    done = operator.grant("--for", "2h")
    assert (done.returncode, done.stdout) == (1, "")
    assert "A certificate holds 3600 seconds at most, not 7200." in done.stderr
    assert "nothing was signed" in done.stderr
    assert operator.names() - before <= {"record"}
    assert operator.listed() == []


def test_a_site_that_names_no_authority_refuses(operator: Operator) -> None:
    (operator.folder / "site.json").write_text("{}")
    done = operator.grant()
    assert done.returncode == 1
    assert "is not one of the break-glass authorities of this site" in done.stderr


def test_an_extension_is_the_same_grant_and_the_total_is_capped(operator: Operator) -> None:
    first = json.loads(operator.grant("--json").stdout)
    done = operator.extend(first["grant"]["id"], "--for", "1h", "--json")
    assert done.returncode == 0, done.stderr
    second = json.loads(done.stdout)
    assert second["grant"] == first["grant"]
    assert second["serial"] != first["serial"]
    assert second["certificate"] == "web-1-cert.pub"
    operator.site(max_seconds=3600, max_total_seconds=1800)
    refused = operator.extend(first["grant"]["id"], "--for", "1h")
    assert refused.returncode == 1
    assert "A grant holds 1800 seconds at most with its extensions" in refused.stderr
    assert [row["asked"] for row in operator.listed()] == ["grant", "extend"]


def test_an_extension_is_for_the_grants_own_key(operator: Operator) -> None:
    granted = json.loads(operator.grant("--json").stdout)
    keygen(operator.folder / "other")
    done = operator.run(
        *(
            "extend",
            granted["grant"]["id"],
            "--key",
            "other",
            "--authority",
            "authority",
            "--site",
            "site.json",
        )
    )
    assert (done.returncode, "the grant is for another key" in done.stderr) == (2, True)


def test_a_grant_is_taken_back_with_all_its_certificates(operator: Operator) -> None:
    first = json.loads(operator.grant("--json").stdout)
    second = json.loads(operator.extend(first["grant"]["id"], "--json").stdout)
    (operator.folder / "kept").mkdir()
    kept = json.loads(operator.grant("--out", "kept/web-1", "--json").stdout)
    done = operator.run("revoke", first["grant"]["id"])
    assert done.returncode == 0, done.stderr
    krl = ["ssh-keygen", "-Qf", operator.folder / "record/revoked.krl"]
    for name, revoked in (("web-1-cert.pub", True), ("kept/web-1-cert.pub", False)):
        asked = subprocess.run([*krl, operator.folder / name], capture_output=True, timeout=30, check=False)
        assert (asked.returncode != 0) is revoked
    states = {row["serial"]: row["state"] for row in operator.listed()}
    assert states == {first["serial"]: "revoked", second["serial"]: "revoked", kept["serial"]: "holds"}
    assert operator.run("revoke", first["grant"]["id"]).returncode == 0  # again, and nothing is lost
    assert operator.run("revoke", "--serial", kept["serial"]).returncode == 0
    asked = subprocess.run(
        [*krl, operator.folder / "kept/web-1-cert.pub"], capture_output=True, timeout=30, check=False
    )
    assert asked.returncode != 0


def test_one_that_was_made_elsewhere_is_taken_back_by_its_authority(operator: Operator) -> None:
    unknown = operator.run("revoke", "--serial", 5)
    assert (unknown.returncode, "was not made here" in unknown.stderr) == (2, True)
    done = operator.run("revoke", "--serial", 5, "--authority", "authority.pub", "--krl", "list.krl")
    assert done.returncode == 0, done.stderr
    said = subprocess.run(
        ["ssh-keygen", "-Qlf", operator.folder / "list.krl"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert "serial: 5" in said.stdout


def test_a_damaged_list_of_what_was_taken_back_stays_as_it_is(operator: Operator) -> None:
    (operator.folder / "list.krl").write_bytes(b"rubbish")
    done = operator.run("revoke", "--serial", 5, "--authority", "authority.pub", "--krl", "list.krl")
    assert (done.returncode, "did not make the list" in done.stderr) == (2, True)
    assert (operator.folder / "list.krl").read_bytes() == b"rubbish"


def test_the_fleets_state_knows_the_instance(operator: Operator) -> None:
    ledger = operator.folder / "ledger"
    ledger.mkdir()
    with Ledger.make(ledger, SystemClock()) as opened:
        store = LifeStore(opened.database, SystemClock().now)
        fleet_life(store)
    (operator.folder / "fleet.toml").write_text(
        f'[fleet]\nledger = "{ledger}"\n[opa]\nurl = "http://127.0.0.1:1"\n'
        '[pipeline]\ncatalogue = "c"\nlauncher = "l"\nconfiguration = "t"\n'
        '[service]\nport = 80\n[balancer]\nsocket = "s"\nbackend = "b"\n'
    )
    argv = ["grant", "--user", "alice", "--ticket", "INC-1", "--reason", "r", "--authority", "authority"]
    argv += ["--site", "site.json", "--fleet", "fleet.toml", "--json"]
    done = operator.run(*argv, "--host", "web-1-g2")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["grant"]["instance"] == "5f0c954e-6a52-4c3e-9c39-5d2e6a7b8f10"
    missing = operator.run(*argv, "--host", "web-1-g1")
    assert (missing.returncode, "the fleet has no host 'web-1-g1' now" in missing.stderr) == (2, True)


def fleet_life(store: LifeStore) -> None:
    instance = Instance(
        slot="web-1",
        generation=2,
        id="5f0c954e-6a52-4c3e-9c39-5d2e6a7b8f10",
        image="sha256:0",
        name="web-1-g2",
    )
    since = "2026-01-02T03:04:05.000000Z"
    with store.lease(this_process()) as lease:
        store.save(lease, Life(instance=instance, state=State.SEALED, since=since, used=2))


def test_the_passphrase_comes_by_descriptor_or_file_and_is_in_no_argument(operator: Operator) -> None:
    argv = ["openssl", "genpkey", "-algorithm", "ED25519", "-aes256", "-pass", "stdin", "-out", "sealed"]
    subprocess.run(argv, input=f"{PASSPHRASE}\n", text=True, check=True, cwd=operator.folder, timeout=60)
    pem = operator.folder / "sealed"
    public = subprocess.run(
        ["openssl", "pkey", "-in", pem, "-passin", "stdin"], input=f"{PASSPHRASE}\n", text=True,
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    (operator.folder / "authority").write_text(public.stdout)
    read_end, write_end = os.pipe()
    os.write(write_end, f"{PASSPHRASE}\n".encode())
    os.close(write_end)
    by_descriptor = operator.grant(
        "--authority", "sealed", "--passphrase-fd", read_end, "--out", "one", pass_fds=[read_end]
    )
    os.close(read_end)
    (operator.folder / "passphrase").write_text(f"{PASSPHRASE}\n")
    named = {**os.environ, "HOSTSEAL_BREAK_GLASS_PASSPHRASE_FILE": "passphrase"}
    by_file = operator.grant("--authority", "sealed", "--out", "two", env=named)
    wrong = {**named, "HOSTSEAL_BREAK_GLASS_PASSPHRASE_FILE": "site.json"}
    refused = operator.grant("--authority", "sealed", "--out", "three", env=wrong)
    # The authority is one that the site does not know, so that all three were opened or not.
    assert "is not one of the break-glass authorities" in by_descriptor.stderr
    assert "is not one of the break-glass authorities" in by_file.stderr
    assert "the authority's key cannot be used" in refused.stderr
    for done in (by_descriptor, by_file, refused):
        assert PASSPHRASE not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--user", "alice,root"], "user: 'alice,root' cannot be used"),
        (["--reason", "a\nb"], r"reason: 'a\nb' cannot be used"),
        (["--for", "soon"], "'soon' is not a time"),
        (["--from", "home"], "from: 'home' is not an address or network"),
        (["--signer", "pkcs11"], "needs --pkcs11"),
        (["--opa-url", "http://127.0.0.1:1"], "has its own policies and data"),
        (["--authority", "site.json"], "the authority's key cannot be used"),
        (["--key", "site.json"], "the person's key cannot be certified"),
    ],
)
def test_bad_input_is_named_and_makes_nothing(operator: Operator, more: list[str], why: str) -> None:
    before = operator.names()
    done = operator.grant(*more)
    assert (done.returncode, why in done.stderr.replace("\\\\", "\\")) == (2, True), done.stderr
    assert operator.names() - before <= {"record"}


def test_a_key_that_is_there_is_not_overwritten(operator: Operator) -> None:
    (operator.folder / "web-1").write_text("precious")
    done = operator.grant()
    assert (done.returncode, "there is a file of this name already" in done.stderr) == (2, True)
    assert (operator.folder / "web-1").read_text() == "precious"


def test_no_answer_from_the_policy_is_exit_3_and_makes_nothing(operator: Operator) -> None:
    argv = ["grant", "--user", "alice", "--host", "web-1", "--instance", INSTANCE, "--ticket", "INC-1"]
    argv += ["--reason", "r", "--authority", "authority", "--opa-url", "http://127.0.0.1:1"]
    before = operator.names()
    assert operator.run(*argv).returncode == 3
    assert operator.names() - before <= {"record"}


def test_a_record_that_broke_off_in_a_line_goes_on_and_a_damaged_line_is_named(operator: Operator) -> None:
    operator.grant()
    book = operator.folder / "record/grants.jsonl"
    with book.open("ab") as file:
        file.write(b'{"what": "iss')
    assert len(operator.listed()) == 1
    assert operator.grant("--out", "second").returncode == 0
    assert len(operator.listed()) == 2
    book.write_bytes(b"rubbish\n" + book.read_bytes())
    done = operator.run("list")
    assert (done.returncode, "grants.jsonl:1" in done.stderr) == (2, True)
