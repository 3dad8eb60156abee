"""The modules flag and flag_info on a real host, over ssh: an operator's wish goes through the agent and the policy."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e import record
from e2e.conftest import Fleet
from lab import Host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
REASON = "the disk is dying; $(touch /root/pwned) `touch /root/pwned`\n--json"
SENTENCE = r'carol flagged the host: "the disk is dying; $(touch /root/pwned) `touch /root/pwned`\n--json".'


def module(fleet: Fleet, host: Host, name: str, *options: str, **arguments: str) -> dict[str, Any]:
    """Run one module on one host, as a playbook's task would."""
    task = {f"hostseal.core.{name}": arguments, "register": "answer"}
    show = {"ansible.builtin.debug": {"msg": "ANSWER {{ answer | to_json }}"}, "when": True}
    playbook = fleet.site.folder / "module.yml"
    playbook.write_text(
        json.dumps(
            [
                {
                    "hosts": host.name,
                    "gather_facts": False,
                    "become": True,
                    "tasks": [{**task, "ignore_errors": True}, show],
                }
            ]
        )
    )
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ansible-playbook"),
            "-i",
            fleet.site.folder / "inventory.json",
            *options,
            playbook,
        ],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_HOME": str(fleet.site.folder / "ansible"),
            "ANSIBLE_SSH_PIPELINING": "True",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [line] = [line for line in done.stdout.splitlines() if '"msg": "ANSWER' in line]
    answer: dict[str, Any] = json.loads(json.loads("{" + line + "}")["msg"].removeprefix("ANSWER "))
    return answer


def wishes(host: Host) -> list[dict[str, Any]]:
    return [r["event"]["data"] for r in record.events(host) if r["event"]["type"] == "operator.flagged"]


def test_an_operator_flags_a_host_once_and_again_only_after_a_pardon(
    fleet: Fleet, sealed: Host, pardon: Callable[[Host, str], None]
) -> None:
    wish = {"person": "carol", "reason": REASON}
    before = module(fleet, sealed, "flag_info")
    assert {
        key: before[key] for key in ("changed", "state", "flagged", "incident", "deadline", "reasons")
    } == {
        "changed": False,
        "state": "sealed",
        "flagged": False,
        "incident": None,
        "deadline": None,
        "reasons": [],
    }
    assert (before["agent_running"], before["mode"]) == (True, "flag")

    known = len(wishes(sealed))
    checked = module(fleet, sealed, "flag", "--check", "--diff", **wish)
    assert (checked["changed"], checked["state"]) == (True, "sealed")
    assert checked["diff"] == {"before": "standing: sealed\n", "after": "standing: flagged\n"}
    assert (len(wishes(sealed)), record.standing(sealed)) == (known, "sealed")

    done = module(fleet, sealed, "flag", "--diff", **wish)
    assert (done["changed"], done["decided"], done["flagged"]) == (True, True, True)
    assert done["reasons"] == [SENTENCE]
    assert done["diff"] == checked["diff"]
    standing = record.status(sealed)["standing"]
    assert (done["incident"], done["deadline"]) == (
        standing["incident"]["id"],
        standing["incident"]["deadline"],
    )
    assert wishes(sealed)[known:] == [wish]

    for options in ((), ("--check",)):
        again = module(fleet, sealed, "flag", *options, **wish)
        assert (again["changed"], again["incident"]) == (False, done["incident"])
    assert module(fleet, sealed, "flag_info")["reasons"] == [SENTENCE]
    assert len(wishes(sealed)) == known + 1

    pardon(sealed, "a drill")
    record.wait_until(lambda: record.standing(sealed) == "sealed", what="the pardon holds")
    third = module(fleet, sealed, "flag", **wish)
    assert (third["changed"], third["flagged"], third["incident"] != done["incident"]) == (True, True, True)
    assert sealed.peek(["ls", "/root/pwned"], check=False).returncode != 0


def test_on_a_host_that_is_only_observed_the_wish_is_recorded_once(fleet: Fleet) -> None:
    host, wish = fleet.observing, {"person": "carol", "reason": "a drill"}
    first, second = (module(fleet, host, "flag", **wish) for _ in range(2))
    assert [(one["changed"], one["state"], one["decided"]) for one in (first, second)] == [
        (True, "sealed", True),
        (False, "sealed", True),
    ]
    [event] = [r for r in record.events(host) if r["event"]["id"] == first["event"]]
    assert event["decision"]["would"] == ["flag"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"person": "carol", "reason": " "}, "reason is empty"),
        ({"person": "carol", "reason": "x" * 1001}, "reason is longer than 1000 characters"),
        ({"person": "carol"}, "missing required arguments: reason"),
        ({"person": "carol", "reason": "a drill", "executable": "/no/such/program"}, "/no/such/program"),
    ],
)
def test_a_wish_that_cannot_be_taken_is_named(
    fleet: Fleet, sealed: Host, arguments: dict[str, str], why: str
) -> None:
    known = len(wishes(sealed))
    answer = module(fleet, sealed, "flag", **arguments)
    assert (answer["failed"], why in answer["msg"]) == (True, True), answer["msg"]
    assert (len(wishes(sealed)), record.standing(sealed)) == (known, "sealed")


def test_without_its_agent_a_host_is_read_and_not_flagged(fleet: Fleet) -> None:
    host = fleet.observing
    host.peek(["systemctl", "stop", "hostseal.socket", "hostseal.service"])
    try:
        info = module(fleet, host, "flag_info")
        assert (info["state"], info["agent_running"], info["mode"]) == ("sealed", False, None)
        answer = module(fleet, host, "flag", person="carol", reason="a drill")
        assert (answer["failed"], "the agent is not running" in answer["msg"]) == (True, True)
    finally:
        host.peek(["systemctl", "start", "hostseal.socket", "hostseal.service"])
    record.wait_until(lambda: record.status(host)["agent"] is not None, what="the agent answers again")
