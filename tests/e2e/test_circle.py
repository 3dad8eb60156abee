"""The whole circle on booted hosts: a broken seal, the record of it, the new host; and everything that can go wrong on the way."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from e2e import person, record
from e2e.test_how_to import commands
from hostseal import keys
from hostseal.core import images
from hostseal.images.catalogue import MANIFEST, PROVENANCE, ROOT
from hostseal.seal import files
from hostseal.seal.personal import MANIFEST as PLACE
from lab import Host, Lab, leftovers
from lab_fleet import FleetLab
from lab_fleet.fleet import HOSTSEAL, REPO

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PREFIX = "circle"
SLOTS = ("web-1", "web-2")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetLab]:
    """Two web hosts behind HAProxy, with ledger, policy engine and controller; nothing may be left behind.

    A run that was cut off has left a host: it is no part of this fleet.
    """
    Lab(PREFIX).up(["web-1-g9"])
    with FleetLab(tmp_path_factory.mktemp("circle"), PREFIX, SLOTS, data={}) as running:
        running.image(lambda line: print(f"circle: {line}", file=sys.stderr, flush=True))
        running.up()
        assert hosts(running) == sorted(serving(running).values())
        yield running
    assert leftovers(PREFIX) == []


def serving(fleet: FleetLab) -> dict[str, str]:
    """Return each slot's host."""
    lives = json.loads(fleet.run("fleet", "status", "--json").stdout)
    return {life["instance"]["slot"]: life["instance"]["name"] for life in lives}


def life_of(fleet: FleetLab, slot: str) -> dict[str, Any]:
    lives = json.loads(fleet.run("fleet", "status", "--json").stdout)
    found: dict[str, Any] = next(life for life in lives if life["instance"]["slot"] == slot)
    return found


def flagged(fleet: FleetLab, host: str) -> bool:
    with fleet.opened() as ledger:
        return any(flag.host == host for flag in ledger.open_flags())


def flag(fleet: FleetLab, slot: str) -> Host:
    """Have an operator flag the slot's host; return it once the ledger knows."""
    host = fleet.host(serving(fleet)[slot])
    done = host.peek([record.HOSTSEAL, "flag", "raise", "--reason", "a test", "--person", "carol"])
    assert done.returncode == 0, done.stderr
    record.wait_until(lambda: flagged(fleet, host.name), what=f"the flag of {host.name} is in the ledger")
    return host


def hosts(fleet: FleetLab) -> list[str]:
    return sorted(host.name for host in fleet.lab.hosts())


def assert_whole(fleet: FleetLab) -> None:
    """Nothing but what serves is there: no orphan, no second successor; the front answers; the ledger holds."""
    assert hosts(fleet) == sorted(serving(fleet).values())
    with fleet.load() as load:
        record.wait_until(lambda: load.sent > 20, what="the front answers")
    assert load.failed == []
    verified = fleet.run("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def playbook(fleet: FleetLab, host: str, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [
        Path(sys.executable).with_name("ansible-playbook"), REPO / "playbooks/replace.yml", *options,
        "-e", f"hostseal_host={host}", "-e", f"hostseal_cli={HOSTSEAL}", "-e", f"hostseal_fleet_settings={fleet.settings}",
    ]  # fmt: skip
    environment = {**fleet.environment, "ANSIBLE_HOME": str(fleet.folder / "ansible"), "ANSIBLE_NOCOLOR": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_a_broken_seal_ends_in_a_verified_new_host_and_the_record_tells_why(fleet: FleetLab) -> None:
    old = fleet.host(serving(fleet)["web-1"])
    with person.shell(old, "alice") as session:
        person.run(session, "sudo -i")
        person.run(session, "echo '192.0.2.1 mended' >> /etc/hosts")
        record.wait_for(old, 0, "files.changed", lambda data: data["paths"][0]["path"] == "/etc/hosts")
        session.sendline("exit")
        session.expect(person.PROMPT)
    record.wait_until(lambda: flagged(fleet, old.name), what="the flag is in the ledger")
    before = hosts(fleet)
    would = playbook(fleet, old.name, "--check")
    assert would.returncode == 0, would.stdout
    assert "would create web-1-g2" in would.stdout
    assert hosts(fleet) == before
    with fleet.load() as load:
        done = playbook(fleet, old.name)
    assert done.returncode == 0, done.stdout
    assert load.failed == []
    assert load.sent > 50
    new = serving(fleet)["web-1"]
    assert new == f"{PREFIX}-web-1-g2"
    assert_whole(fleet)
    story = json.loads(fleet.run("explain", old.name, "--json").stdout)
    assert (story["login"]["user"], story["host"]) == ("alice", old.name)
    assert story["login"]["key"].startswith("SHA256:")
    assert all(chapter["logged"] and chapter["revision"] for chapter in story["chapters"])
    assert {chapter["type"] for chapter in story["chapters"]} >= {
        "session.opened",
        "session.channel",
        "files.changed",
    }
    assert [(run["action"], run["state"]) for run in story["playbooks"]] == [("flag", "done")]
    (replacement,) = story["replacements"]
    assert [step["step"] for step in replacement["steps"]] == [
        "replacing",
        "verifying",
        "draining",
        "retired",
    ]
    assert replacement["successor"]["name"] == new
    assert replacement["successor"]["image"] == fleet.images.catalogue.current().digest
    archive = fleet.folder / "evidence" / f"{replacement['token']}.tar.gz"
    assert replacement["evidence"] == f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}"
    with tarfile.open(archive) as tar:
        kept = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert "/etc/hosts\n" in kept["changed-files.txt"].decode()
    assert b"Starting session: shell" in kept["journal.export"]
    assert b"/opt/hostseal/bin" in kept["processes.txt"]
    assert kept["missing.txt"] == b""


STEPS = ["evidence", "create", "verify", "serve", "retire"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_same_command_again_finishes_with_one_successor(
    fleet: FleetLab, step: str
) -> None:
    old = flag(fleet, "web-2")
    generation = life_of(fleet, "web-2")["instance"]["generation"]
    with fleet.load() as load:
        command = [HOSTSEAL, "fleet", "once", "--host", old.name]
        with subprocess.Popen(command, env=fleet.environment, stderr=subprocess.PIPE, text=True) as running:
            for line in running.stderr or ():
                if f" {step} " in line:
                    running.send_signal(signal.SIGKILL)
                    break
        assert running.returncode == -signal.SIGKILL
        again = fleet.run("fleet", "once", "--host", old.name)
    assert again.returncode == 0, again.stdout + again.stderr
    assert load.failed == []
    assert life_of(fleet, "web-2")["instance"]["generation"] == generation + 1
    assert_whole(fleet)


def test_of_two_controllers_at_a_time_one_is_turned_away(fleet: FleetLab) -> None:
    old = flag(fleet, "web-1")
    command = [HOSTSEAL, "fleet", "once", "--host", old.name]
    with subprocess.Popen(command, env=fleet.environment, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        first.stderr.readline()
        second = fleet.run("fleet", "once", "--host", old.name)
        first.stderr.read()
    assert (first.returncode, second.returncode) == (0, 1)
    assert "another controller is at work" in second.stderr
    assert_whole(fleet)


def test_a_host_that_vanished_is_replaced_all_the_same_and_the_evidence_says_what_is_missing(
    fleet: FleetLab,
) -> None:
    old = flag(fleet, "web-1")
    fleet.lab.down([old.name])
    done = fleet.run("fleet", "once", "--host", old.name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_whole(fleet)
    story = json.loads(fleet.run("explain", old.name, "--json").stdout)
    with tarfile.open(fleet.folder / "evidence" / f"{story['replacements'][-1]['token']}.tar.gz") as tar:
        missing = tar.extractfile("missing.txt")
        assert missing is not None
        assert b"the host is gone" in missing.read()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--host", "nobody-g1"], "there is no host nobody-g1"),
        (["--host", f"{PREFIX}-web-1-g1"], "there is no host"),
    ],
)
def test_a_host_that_is_none_or_no_longer_is_refused(fleet: FleetLab, words: list[str], why: str) -> None:
    done = fleet.run("fleet", "once", *words)
    assert (done.returncode, why in done.stderr) == (1, True), done.stderr


def test_a_host_that_is_not_flagged_or_held_is_refused_and_serves_on(fleet: FleetLab) -> None:
    host = serving(fleet)["web-1"]
    done = fleet.run("fleet", "once", "--host", host)
    assert (done.returncode, "is sealed, not flagged" in done.stderr) == (1, True), done.stderr
    assert fleet.run("fleet", "once").stdout == "nothing to do: no host is due\n"
    assert fleet.run("fleet", "hold", host, "--reason", "a demo at noon").returncode == 0
    flag(fleet, "web-1")
    done = fleet.run("fleet", "once", "--host", host)
    assert (done.returncode, "a demo at noon" in done.stderr) == (1, True), done.stderr
    assert fleet.run("fleet", "unhold", host).returncode == 0
    assert fleet.run("fleet", "once", "--host", host).returncode == 0
    assert_whole(fleet)


def broken_image(fleet: FleetLab, folder: Path) -> str:
    """Return the digest of an image whose service answers nobody, current, for its boot test does not look at that."""
    catalogue = fleet.images.catalogue
    good = catalogue.place(catalogue.current().digest)
    made = folder / "broken"
    made.mkdir()
    subprocess.run(
        ["cp", "-a", "--reflink=auto", (good / ROOT).resolve(), made / ROOT], check=True, timeout=120
    )
    unit = made / ROOT / "etc/systemd/system/web.service"
    unit.write_text(
        re.sub("ExecStart=.*", "ExecStart=/usr/bin/sleep infinity", unit.read_text("utf-8")), "utf-8"
    )
    (made / ROOT / PLACE.lstrip("/")).unlink()
    manifest = files.create(made / ROOT, made / MANIFEST, keys.private_key(fleet.images.keys / "seal.key"))
    shutil.copyfile(made / MANIFEST, made / ROOT / PLACE.lstrip("/"))
    shutil.copyfile(good / PROVENANCE, made / PROVENANCE)
    catalogue.take_in(manifest.image, made)
    now = datetime.now(UTC)
    for step in (images.added, images.tested, images.promoted):
        catalogue.change(lambda known, step=step: step(known, manifest.image, now))  # type: ignore[misc]
    return manifest.image


def test_a_successor_that_cannot_serve_leaves_the_old_host_serving_until_it_is_quarantined(
    fleet: FleetLab, tmp_path: Path
) -> None:
    catalogue = fleet.images.catalogue
    good = catalogue.current().digest
    settings = fleet.settings.read_text("utf-8")
    fleet.settings.write_text(settings.replace("[service]\n", "[service]\nseconds = 3\n"), "utf-8")
    old = flag(fleet, "web-2")
    bad = broken_image(fleet, tmp_path)
    for attempt in range(1, 4):
        with fleet.load() as load:
            done = fleet.run("fleet", "once", "--host", old.name)
        assert (done.returncode, load.failed) == (1, [])
        assert "the service does not answer" in done.stderr, done.stderr
        assert life_of(fleet, "web-2")["attempts"] == attempt
        assert_whole(fleet)
    assert life_of(fleet, "web-2")["state"] == "quarantined"
    done = fleet.run("fleet", "once", "--host", old.name)
    assert (done.returncode, "quarantined, not flagged" in done.stderr) == (1, True), done.stderr
    revoked = fleet.run(
        "image", "revoke", bad, "--reason", "its service answers nobody", "--catalogue", str(catalogue.folder)
    )
    assert revoked.returncode == 0, revoked.stderr
    assert fleet.run("fleet", "release", old.name).returncode == 0
    done = fleet.run("fleet", "once", "--host", old.name)
    assert (done.returncode, "no image is current" in done.stderr) == (1, True), done.stderr
    catalogue.change(lambda known: images.promoted(known, good, datetime.now(UTC)))
    fleet.settings.write_text(settings, "utf-8")
    done = fleet.run("fleet", "once", "--host", old.name)
    assert done.returncode == 0, done.stderr
    assert_whole(fleet)
    undone = json.loads(fleet.run("explain", old.name, "--json").stdout)["replacements"]
    assert [one["steps"][-1]["step"] for one in undone] == ["undone", "undone", "undone", "retired"]


def test_an_agent_that_is_killed_as_root_is_flagged_by_the_ledger_and_its_host_replaced(
    fleet: FleetLab,
) -> None:
    old = fleet.host(serving(fleet)["web-1"])
    old.peek(["sh", "-c", "systemctl kill -s KILL hostseal.service; systemctl stop hostseal.service"])
    record.wait_until(lambda: flagged(fleet, old.name), what="the ledger misses the host")
    with fleet.opened() as ledger:
        (raised,) = [flag for flag in ledger.open_flags() if flag.host == old.name]
    assert (raised.cause, raised.writer) == ("silent", "ledger")
    done = fleet.run("fleet", "once", "--host", old.name)
    assert done.returncode == 0, done.stderr
    assert_whole(fleet)


def test_a_signed_pardon_that_a_host_applies_ends_its_flag_in_the_ledger_too(fleet: FleetLab) -> None:
    host = flag(fleet, "web-1")
    incident = record.status(host)["standing"]["incident"]["id"]
    words = [
        "flag",
        "pardon",
        "--reason",
        "a drill",
        "--host",
        host.name,
        "--incident",
        incident,
        "--person",
        "carol",
    ]
    signed = fleet.run(*words, "--key", str(fleet.images.keys / "pardon.key")).stdout
    host.peek([record.HOSTSEAL, "flag", "apply-pardon", "-"], input=signed)
    record.wait_until(lambda: not flagged(fleet, host.name), what="the ledger takes the pardon")
    done = fleet.run("fleet", "once", "--host", host.name)
    assert (done.returncode, "is sealed, not flagged" in done.stderr) == (1, True), done.stderr


def test_the_how_to_page_replace_a_host(fleet: FleetLab) -> None:
    """Its commands, read out of the page; `web-1-g1` is whoever serves in that slot then."""
    page = commands(
        "replace-a-host.md", {"ansible-playbook ": f"{Path(sys.executable).with_name('ansible-playbook')} "}
    )
    own = f" -e hostseal_cli={HOSTSEAL} -e hostseal_fleet_settings={fleet.settings}"
    said = []
    replaced = flag(fleet, "web-1").name
    for line in page:
        if "playbook" in line:
            replaced = flag(fleet, "web-1").name
        name = replaced if "explain" in line else serving(fleet)["web-1"]
        command = line.replace("web-1-g1", name).replace("web-1-g2", name)
        command = (
            command.replace("hostseal ", f"{HOSTSEAL} ", 1)
            if command.startswith("hostseal ")
            else command + own
        )
        done = subprocess.run(
            ["bash", "-ec", command], cwd=REPO, env={**fleet.environment, "ANSIBLE_NOCOLOR": "1"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    status, would, replace, playbook_run, timer, held, freed, told = said
    assert "flagged" in status
    assert "would create" in would
    assert "was replaced by" in replace
    assert "was replaced by" in playbook_run
    assert timer == "nothing to do: no host is due\n"
    assert (held, freed) == ("", "")
    assert f"host        {replaced}" in told
    assert_whole(fleet)
