"""The how-to pages, followed to the letter: each command is read out of its page and run."""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from e2e import person, record
from e2e.conftest import Fleet
from e2e.test_demo import make
from integration.cli.test_trial import seen, until
from lab import Host, leftovers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]


def commands(page: str, names: Mapping[str, str]) -> list[str]:
    """Return the page's commands (its indented lines outside a fence), with the example's names replaced by the test's own."""
    text = re.sub(
        r"^```.*?^```$", "", (ROOT / "docs/how-to" / page).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    found = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    for example, own in names.items():
        assert any(example in command for command in found), f"{page} no longer says {example}"
        found = [command.replace(example, own) for command in found]
    return found


def on_host(host: Host, command: str, body: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command as root on the host, with `body` as a file beside it where it asks for one."""
    script = f"cd /root; export PATH=/opt/hostseal/bin:$PATH; {command}"
    return host.ssh("deploy", f"sudo bash -c {shlex.quote(script)}", input=body)


def test_pardon_a_host(fleet: Fleet, sealed: Host, tmp_path: Path) -> None:
    with person.shell(sealed, "alice") as session:
        person.run(session, "true")
    incident = record.wait_until(
        lambda: record.status(sealed)["standing"]["incident"], what="the host is flagged"
    )["id"]
    names = {
        "web-1": sealed.name,
        "INCIDENT": incident,
        "keys/pardon.key": str(fleet.site.keys / "pardon.key"),
    }
    look, sign, hand_over = commands("pardon-a-host.md", names)
    said = on_host(sealed, look)
    assert (said.returncode, incident in said.stdout) == (4, True)
    program = Path(sys.executable).with_name("hostseal")
    subprocess.run(
        ["bash", "-ec", sign.replace("hostseal", str(program), 1)], cwd=tmp_path, check=True, timeout=30
    )
    before = record.last_seq(sealed)
    signed = (tmp_path / "pardon.json").read_text("utf-8")
    handed = on_host(sealed, f"cat > pardon.json; {hand_over}; rm pardon.json", signed)
    assert handed.returncode == 0, handed.stderr
    pardoned = record.wait_for(sealed, before, "flag.pardoned")
    assert pardoned["event"]["data"]["reason"] == json.loads(signed)["claim"]["reason"]


def test_take_a_first_look(tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    prepare, make_folder, trial, lab_up, lab_down = commands(
        "take-a-first-look.md", {"/tmp/sealed": str(sealed)}
    )
    assert make(*prepare.split()[1:]).returncode == 0
    subprocess.run(shlex.split(make_folder), check=True, timeout=30)
    output = tmp_path / "output"
    with output.open("wb") as sink:
        running = subprocess.Popen(
            [*shlex.split(trial), "--state", str(tmp_path / "state")], cwd=ROOT, stdout=sink, stderr=sink
        )
    try:
        until(lambda: "Watching" in output.read_text(), "the trial's start")
        until(lambda: seen(sealed / "changed", output), "the change set")
        until(lambda: "action.done" in output.read_text(), "the flag")
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
    assert "Standing: flagged" in output.read_text()
    assert make(*lab_up.split()[1:]).returncode == 0
    assert make(*lab_down.split()[1:]).returncode == 0
    assert leftovers("lab") == []
