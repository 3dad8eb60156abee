"""The ledger on real hosts: what a host does is on record elsewhere, and an agent that is killed is missed."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from e2e import person, record
from e2e.test_how_to import ROOT, commands
from hostseal import keys
from hostseal.config.settings import LedgerSettings
from hostseal.enrolment.introduce import introduce
from integration.ledger.test_enrol import credential
from lab import Completed, Host, Lab, leftovers
from lab_site import Site, install, install_ledger

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PREFIX = "ledger"
HEARTBEAT_SECONDS = 2


class Pair:
    """A ledger's host and a sealed host that reports to it."""

    def __init__(self, site: Site, book: Host, web: Host) -> None:
        self.site, self.book, self.web = site, book, web

    def ledger(self, *words: str) -> Completed:
        """Run `hostseal ledger` on the ledger's host, as root."""
        return self.book.peek(["/opt/hostseal-ledger/bin/hostseal", "ledger", *words], check=False)

    def records(self, *words: str) -> list[dict[str, object]]:
        """Return what a search finds."""
        return [json.loads(line) for line in self.ledger("search", "--json", *words).stdout.splitlines()]

    def flags(self) -> list[dict[str, object]]:
        """Return the flags that stand."""
        return [json.loads(line) for line in self.ledger("flags", "--json").stdout.splitlines()]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both hosts, installed by the collection's roles; nothing may be left behind."""
    with Lab(PREFIX) as lab:
        lab.down()
        book, web = lab.up(["book", "web-1-g1"])
        site = Site(tmp_path_factory.mktemp("site"))
        keys.ensure_pair(site.keys, "enrolment")
        site = install_ledger(site, book, [web.name], hostseal_ledger_heartbeat_seconds=HEARTBEAT_SECONDS)
        install(site, [web])
        yield Pair(site, book, web)
    assert leftovers(PREFIX) == []


def caught_up(pair: Pair) -> bool:
    agent = record.status(pair.web)["agent"]
    return (
        agent is not None
        and agent["spool"]["pending"] == 0
        and agent["ledger"]["sent_seq"] == agent["spool"]["last_seq"]
        and agent["ledger"]["trouble"] is None
    )


def rss_mb(host: Host, unit: str) -> float:
    """Return a unit's resident memory in MB."""
    pid = host.peek(["systemctl", "show", "--property=MainPID", "--value", unit]).stdout.strip()
    status = host.peek(["cat", f"/proc/{pid}/status"]).stdout
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) / 1024


def test_a_host_from_an_image_gets_in_by_its_credential(pair: Pair, tmp_path: Path) -> None:
    raw = credential(pair.site.keys / "enrolment.key", "web-2-g2")
    authority = str(pair.site.keys / "ledger-ca.pem")
    introduce(raw, LedgerSettings(url=pair.site.ledger_url, ca=authority, token_file=str(tmp_path / "token")))
    assert "web-2-g2" in pair.ledger("token", "list").stdout


def test_a_persons_shell_is_on_record_off_the_host_with_its_decision_and_its_flag(pair: Pair) -> None:
    with person.shell(pair.web, "alice") as session:
        person.run(session, "true")
    # The host that got in by its credential, and is none, may be flagged for its silence meanwhile.
    [flag] = record.wait_until(
        lambda: [one for one in pair.flags() if one["host"] == pair.web.name],
        what="the flag is in the ledger",
    )
    record.wait_until(lambda: pair.records("--kind", "action"), what="the action's outcome is in the ledger")
    record.wait_until(lambda: caught_up(pair), what="all events are in the ledger")
    record.wait_until(
        lambda: pair.ledger("gaps", "--grace", "0").returncode == 0, what="all decisions are in the ledger"
    )
    shell = ["--host", pair.web.name, "--user", "alice", "--rule", "interactive_session"]
    [event] = pair.records(*shell, "--kind", "event")
    [decision] = pair.records(*shell, "--kind", "decision")
    assert (event["type"], event["ref"], decision["ref"]) == ("session.channel", decision["id"], event["id"])
    assert (flag["host"], flag["cause"], flag["id"]) == (
        pair.web.name,
        "policy",
        record.status(pair.web)["standing"]["incident"]["id"],
    )

    def kept_in_order() -> bool:
        spooled = [one["event"]["id"] for one in record.events(pair.web)]
        return [one["id"] for one in pair.records("--kind", "event", "--last", "10000")] == spooled

    record.wait_until(kept_in_order, what="the ledger has the very events that the host has")
    assert pair.ledger("verify").stdout.splitlines()[-1] == "whole"


def test_the_agent_stays_small_and_so_does_the_ledger(pair: Pair) -> None:
    record.wait_until(lambda: caught_up(pair), what="all events are in the ledger")
    agent, ledger = rss_mb(pair.web, "hostseal.service"), rss_mb(pair.book, "hostseal-ledger.service")
    print(f"agent {agent:.1f} MB, ledger {ledger:.1f} MB")
    assert (agent < 60, ledger < 120) == (True, True), (agent, ledger)


def test_reading_the_record_as_the_how_to_says(pair: Pair, tmp_path: Path) -> None:
    keys = list((pair.site.keys / "ledger-checkpoint").glob("*.pub"))
    assert len(keys) == 1
    names = {
        "INVENTORY": str(pair.site.folder / "inventory.json"),
        "web-1": pair.web.name,
        "2026-11-24": datetime.now(UTC).date().isoformat(),
        "CHECKPOINT.pub": keys[0].name,
    }
    playbook, site, *rest = commands("read-the-record.md", names)
    assert site.endswith("playbooks/site.yml")
    install_ledger(pair.site, pair.book, [pair.web.name], hostseal_ledger_heartbeat_seconds=HEARTBEAT_SECONDS)
    played = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), *shlex.split(playbook)[1:]],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (played.returncode, "changed=0 " in played.stdout) == (0, True), played.stdout
    (tmp_path / "read").mkdir()
    (tmp_path / "read" / keys[0].name).write_bytes(keys[0].read_bytes())
    (tmp_path / "read" / "witness.jsonl").write_text(
        pair.web.peek(["cat", "/var/lib/hostseal/witness.jsonl"]).stdout
    )
    pair.book.copy_in(tmp_path / "read", "/root/read")

    def run(command: str) -> Completed:
        return pair.book.peek(f"cd /root/read; PATH=/opt/hostseal-ledger/bin:$PATH; {command}", check=False)

    record.wait_until(
        lambda: pair.ledger("gaps", "--grace", "0").returncode == 0, what="everything has arrived"
    )
    expected = [
        (0, "#"), (0, '"user":"alice"'), (4, pair.web.name), (0, "whole"), (0, "whole"), (0, ""),
        (0, ""), (0, "web-9"), (0, "1 token(s)"),
    ]  # fmt: skip
    for command, (status, said) in zip(rest, expected, strict=True):
        done = run(command)
        assert (done.returncode, said in done.stdout) == (status, True), (command, done.stdout, done.stderr)


def test_its_certificate_is_made_anew_and_nobody_has_to_be_told(pair: Pair) -> None:
    before = pair.book.peek(["cat", "/etc/hostseal-ledger/server.pem"]).stdout
    pair.book.peek(["rm", "/etc/hostseal-ledger/server.pem"])
    install_ledger(pair.site, pair.book, [pair.web.name], hostseal_ledger_heartbeat_seconds=HEARTBEAT_SECONDS)
    assert pair.book.peek(["cat", "/etc/hostseal-ledger/server.pem"]).stdout != before
    heard = record.status(pair.web)["agent"]["ledger"]["contact"]
    record.wait_until(
        lambda: caught_up(pair) and record.status(pair.web)["agent"]["ledger"]["contact"] > heard,
        what="the agent speaks to the ledger with its new certificate",
    )


def test_an_agent_killed_by_root_is_flagged_by_the_ledger_within_three_heartbeats(pair: Pair) -> None:
    record.wait_until(lambda: caught_up(pair), what="all events are in the ledger")
    before = {flag["id"] for flag in pair.flags()}
    # systemd would start it again after five seconds; root stops that too.
    pair.web.peek(["systemctl", "kill", "--signal=SIGKILL", "hostseal.service"])
    killed = time.monotonic()
    pair.web.peek(["systemctl", "stop", "hostseal.socket", "hostseal.service"])

    def raised() -> list[dict[str, object]]:
        return [flag for flag in pair.flags() if flag["id"] not in before]

    [flag] = record.wait_until(raised, seconds=30, what="the ledger flags the host")
    assert time.monotonic() - killed < 3 * HEARTBEAT_SECONDS + 4
    assert (flag["host"], flag["cause"], flag["writer"]) == (pair.web.name, "silent", "ledger")
    assert pair.ledger("verify").returncode == 0
