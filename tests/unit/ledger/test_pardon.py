"""`hostseal ledger pardon`: a flag of the ledger's own ends by a pardon that was signed off its machine, and by nothing less."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hostseal import keys
from hostseal.clock import SystemClock
from hostseal.ledger import store
from hostseal.ledger.book import PARDON_KEY, Ledger
from unit.ledger.conftest import NOW, entry

HOSTSEAL = Path(sys.executable).with_name("hostseal")
HOST, FLAG = "web-1-g1", "silent-0123456789abcdef"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A ledger that has flagged a host itself, and the public half of the key of pardons."""
    folder = tmp_path / "ledger"
    with Ledger.make(folder, SystemClock()) as book:
        flag = entry(1, kind="flag", host=HOST, id=FLAG, type="silent", writer="ledger", seq=0, body=b"{}")
        store.append(book.database, [flag], NOW)
    key = keys.ensure_pair(tmp_path / "keys", "pardon")
    (folder / PARDON_KEY).write_bytes(key.with_suffix(".pub").read_bytes())
    return folder


def run(data: Path, *words: str | Path, given: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "HOSTSEAL_LEDGER": str(data)}
    return subprocess.run(
        [HOSTSEAL, *words],
        input=given,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def sign(data: Path, key: Path, incident: str = FLAG) -> str:
    words = ["flag", "pardon", "--reason", "a cable", "--host", HOST, "--incident", incident, "--key", key]
    return run(data, *words, "--person", "carol").stdout


def test_a_signed_pardon_ends_the_flag_and_stands_in_the_chain(data: Path, tmp_path: Path) -> None:
    assert run(data, "ledger", "flags").returncode == 4
    pardoned = run(data, "ledger", "pardon", given=sign(data, tmp_path / "keys/pardon.key"))
    assert (pardoned.returncode, pardoned.stdout) == (0, "recorded as #2\n"), pardoned.stderr
    assert run(data, "ledger", "flags").returncode == 0
    with Ledger(data, SystemClock()) as book:
        (record,) = [one for one in book.records() if one.kind == "pardon"]
    assert (record.writer, record.ref, record.body["reason"]) == ("carol", FLAG, "a cable")


@pytest.mark.parametrize("what", ["another key", "another flag", "nonsense", "no key here"])
def test_anything_else_is_refused_and_the_flag_stands(data: Path, tmp_path: Path, what: str) -> None:
    stranger = keys.ensure_pair(tmp_path / "stranger", "pardon")
    key = stranger if what == "another key" else tmp_path / "keys/pardon.key"
    if what == "no key here":
        (data / PARDON_KEY).unlink()
    given = "{" if what == "nonsense" else sign(data, key, "silent-9" if what == "another flag" else FLAG)
    refused = run(data, "ledger", "pardon", given=given)
    assert refused.returncode == 2, refused.stderr
    assert run(data, "ledger", "flags").returncode == 4
