"""sshd's real lines about certificates, and what each means; whoever is not root's sshd says nothing."""

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.certificate_lines import CONNECTIONS_KEPT, Reader, Refusal, Why, read

SAMPLES = json.loads((Path(__file__).parents[2] / "samples/sshd/certificates.json").read_bytes())
KEY, CA = f"SHA256:{'K' * 43}", f"SHA256:{'A' * 43}"


def entry(message: str, pid: int = 93, **fields: Any) -> dict[str, Any]:
    return {"_COMM": "sshd", "_UID": 0, "_EXE": "/usr/sbin/sshd", "_PID": pid, "MESSAGE": message, **fields}


def refusals(entries: list[dict[str, Any]], reader: Reader | None = None) -> list[Refusal]:
    found, known = [], reader or Reader()
    for one in entries:
        known, refusal = read(known, one)
        found += [refusal] if refusal else []
    return found


def failed(rest: str, user: str = "alice", source: str = "192.0.2.7") -> str:
    return f"Failed publickey for {user} from {source} port 50000 ssh2: ED25519-CERT {KEY} ID {rest}"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_the_lines_of_one_connection_mean_what_happened(sample: dict[str, Any]) -> None:
    found = refusals([entry(line) for line in sample["lines"]])
    assert msgspec.to_builtins(found) == sample["refusals"]


def test_they_mean_the_same_in_sshd_session_of_openssh_9_8() -> None:
    for sample in SAMPLES:
        lines = [
            entry(line, _COMM="sshd-session", _EXE="/usr/lib/openssh/sshd-session")
            for line in sample["lines"]
        ]
        assert msgspec.to_builtins(refusals(lines)) == sample["refusals"]


def test_every_cause_but_a_replay_has_a_sample() -> None:
    seen = {refusal["why"] for sample in SAMPLES for refusal in sample["refusals"]}
    assert seen == set(Why) - {Why.REPLAYED}


@given(st.permutations(range(len(SAMPLES))), st.randoms(use_true_random=False))
def test_connections_at_the_same_time_are_told_apart(order: list[int], random: Any) -> None:
    queues = {
        number: [entry(line, pid=1000 + number) for line in SAMPLES[number]["lines"]] for number in order
    }
    mixed = []
    while queues:
        number = random.choice(list(queues))
        mixed.append(queues[number].pop(0))
        if not queues[number]:
            del queues[number]
    expected = [refusal for sample in SAMPLES for refusal in sample["refusals"]]

    def key(refusal: dict[str, Any]) -> str:
        return json.dumps(refusal, sort_keys=True)

    assert sorted(msgspec.to_builtins(refusals(mixed)), key=key) == sorted(expected, key=key)


@pytest.mark.parametrize(
    "forged",
    [
        {"_UID": 2001},
        {"_EXE": "/home/alice/sshd"},
        {"_COMM": "logger"},
        {"_UID": None},
        {"_PID": None},
        {"MESSAGE": None},
    ],
)
def test_only_roots_own_sshd_is_believed(forged: dict[str, Any]) -> None:
    lines = ["error: Certificate invalid: expired", failed(f"x (serial 1) CA ED25519 {CA}")]
    assert len(refusals([entry(line) for line in lines])) == 1
    assert refusals([{**entry(line), **forged} for line in lines]) == []


@pytest.mark.parametrize(
    "key_id",
    [
        "",
        f"x (serial 9) CA ED25519 SHA256:{'Z' * 43}",
        "x from 203.0.113.9 port 1 ssh2: ED25519-CERT",
        "{{ lookup('pipe', 'id') }} ; rm -rf / \\033[31m",
        'x" (serial 5) signed by ED25519 CA',
    ],
)
def test_a_key_id_cannot_pass_for_another_part_of_the_line(key_id: str) -> None:
    [found] = refusals([entry(failed(f"{key_id} (serial 7) CA ED25519 {CA}"))])
    assert (found.key_id, found.serial, found.ca_fingerprint) == (key_id, 7, CA)
    assert (found.user, found.source, found.fingerprint) == ("alice", "192.0.2.7", KEY)


def test_a_line_that_was_cut_off_is_still_a_refusal() -> None:
    [found] = refusals([entry(failed("a very long name of a certif"))])
    assert (found.why, found.key_id) == (Why.UNKNOWN_AUTHORITY, "a very long name of a certif")
    assert (found.serial, found.ca_fingerprint) == (None, None)


def test_an_address_with_a_zone_and_the_largest_serial_are_taken_as_they_are() -> None:
    [found] = refusals([entry(failed(f"x (serial {2**64 - 1}) CA RSA {CA}", source="fe80::1%eth0"))])
    assert (found.source, found.serial) == ("fe80::1%eth0", 2**64 - 1)


OFFERED = f'Accepted certificate ID "x" (serial 7) signed by ED25519 CA {CA} via /etc/ssh/ca.pub'
POSTPONED = "Postponed publickey for alice from 192.0.2.7 port 50000 ssh2 [preauth]"


@pytest.mark.parametrize(
    "end",
    [
        "Connection closed by authenticating user alice 192.0.2.7 port 50000 [preauth]",
        "Connection reset by authenticating user alice 192.0.2.7 port 50000 [preauth]",
        "Disconnected from authenticating user alice 192.0.2.7 port 50000 [preauth]",
        "fatal: Timeout before authentication for 192.0.2.7 port 50000",
        "Accepted password for alice from 192.0.2.7 port 50000 ssh2",
        f"Accepted publickey for alice from 192.0.2.7 port 50000 ssh2: ED25519 {KEY}",
        'Connection from 192.0.2.8 port 50001 on 192.0.2.1 port 22 rdomain ""',
        failed(f"x (serial 7) CA ED25519 {CA}"),
    ],
)
def test_an_offer_that_was_not_proven_is_reported_however_the_connection_goes_on(end: str) -> None:
    [found] = refusals([entry(OFFERED), entry(POSTPONED), entry(end)])
    assert (found.why, found.user, found.serial, found.ca_fingerprint) == (Why.UNPROVEN, "alice", 7, CA)


def test_a_newer_sshd_says_of_another_process_that_its_time_was_up() -> None:
    """OpenSSH 9.8: the listener does, for the session's process that has gone."""
    over = "Timeout before authentication for connection from 192.0.2.7 to 192.0.2.1, pid = 93"
    [found] = refusals([entry(OFFERED), entry(POSTPONED), entry(over, pid=1)])
    assert found.why is Why.UNPROVEN


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    reader = Reader()
    for pid in range(CONNECTIONS_KEPT + 10):
        reader, _ = read(reader, entry("error: Certificate invalid: expired", pid=pid))
    assert len(reader.connections) == CONNECTIONS_KEPT
    assert reader.connections[0].pid == 10


@given(st.text(max_size=200))
def test_no_line_can_stop_the_reader(message: str) -> None:
    read(Reader(), entry(message))
    read(Reader(), entry(f"Failed publickey for {message} ID {message}"))


def test_a_hostile_line_takes_no_time() -> None:
    began = time.process_time()
    for message in (
        "Failed publickey for " + " from " * 20_000,
        failed(" (serial 1) CA x " * 5_000),
        'Accepted certificate ID "' + '" (serial 1) signed by ' * 5_000,
        "error: Authentication key " + " revoked by file" * 5_000,
    ):
        read(Reader(), entry(message))
    assert time.process_time() - began < 1
