"""SSH that is locked down on a booted host, and opened by a release alone."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e import record
from e2e.enforced import AUTHORITY, DROP_IN, Enforced
from e2e.responding import BECAUSE, answers, connection, play
from lab import Host, LabError
from lab_site import Site, install

pytest_plugins = ["e2e.responses_fixture"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

BREAK_GLASS = "/etc/ssh/sshd_config.d/20-hostseal-break-glass.conf"


def test_levels_rise_keep_connections_and_let_certificates_in(enforced: Enforced, open_host: Host) -> None:
    with connection(open_host, "alice") as persons, connection(open_host, "deploy") as automations:
        assert answers(persons)
        assert answers(automations)
        asked = json.loads(enforced.ask("lockdown", "request", "automation_only", *BECAUSE).stdout)
        assert (asked["actions"], asked["level"]) == (["lockdown_automation_only"], "automation_only")
        enforced.wait_for_level("automation_only")
        assert enforced.refused("alice")
        assert enforced.refused("root")
        assert not enforced.refused("deploy")
        assert enforced.admits("alice")
        enforced.ask("lockdown", "request", "closed", *BECAUSE)
        enforced.wait_for_level("closed")
        assert enforced.refused("alice")
        assert enforced.refused("deploy")
        assert enforced.admits("alice")
        assert enforced.admits("deploy")
        lower = json.loads(enforced.ask("lockdown", "request", "automation_only", *BECAUSE).stdout)
        assert lower["level"] == "closed"
        assert answers(persons)
        assert answers(automations)


def test_the_module_asks_once_and_tells_the_truth_beforehand(enforced: Enforced, open_host: Host) -> None:
    wish = {"level": "automation_only", "person": "carol", "reason": "$(touch /root/pwned) --json"}
    tasks: list[dict[str, Any]] = [
        {"hostseal.core.lockdown": {}, "register": "before"},
        {"hostseal.core.lockdown": wish, "check_mode": True, "register": "would"},
        {"hostseal.core.lockdown": wish, "register": "asked"},
        {"hostseal.core.lockdown": wish, "register": "again"},
        {
            "ansible.builtin.assert": {
                "that": [
                    "before.level == 'open' and not before.changed",
                    "would.changed and would.level == 'open'",
                    "asked.changed and asked.level == 'automation_only'",
                    "asked.actions == ['lockdown_automation_only'] and asked.would == []",
                    "not again.changed and again.level == 'automation_only'",
                ]
            }
        },
    ]
    ran = play(enforced.site, tasks, open_host)
    assert ran.returncode == 0, ran.stdout
    enforced.wait_for_level("automation_only")
    assert open_host.peek(["test", "-e", "/root/pwned"], check=False).returncode == 1


def test_nothing_but_a_fitting_release_opens(enforced: Enforced, open_host: Host, tmp_path: Path) -> None:
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    other = tmp_path / "other.key"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ED25519", "-out", other],
        check=True,
        timeout=30,
        capture_output=True,
    )
    good = enforced.release()
    changed = json.loads(good)
    changed["claim"]["reason"] = "no reason"
    wrong = {
        "the release is for host 'web-9'": enforced.release(host="web-9"),
        "the release is for incident i, the lockdown is about": enforced.release(incident="i"),
        "the signature is not by this host's pardon key": enforced.release(key=other),
        "the signature is not by": json.dumps(changed),
        "this is not a release": "{}",
    }
    before = record.last_seq(open_host)
    for why, signed in wrong.items():
        refused = enforced.apply(signed)
        assert (refused.returncode, why in refused.stderr) == (2, True), refused.stderr
    assert record.status(open_host)["lockdown"]["level"] == "automation_only"
    assert enforced.refused("alice")
    assert [r for r in record.events(open_host, before) if r["event"]["type"] == "lockdown.released"] == []
    assert enforced.apply(good).returncode == 0
    found = record.wait_for(open_host, before, "lockdown.released")
    assert found["decision"]["findings"][0]["message"].startswith("carol released the lockdown")
    enforced.wait_for_level("open")
    assert not enforced.refused("alice")
    open_host.peek(f"printf 'Match User *\\n    AuthenticationMethods none\\n' > {DROP_IN}")
    left = ["test", "-e", DROP_IN]
    record.wait_until(
        lambda: open_host.peek(left, check=False).returncode == 1, what="what is left is taken away"
    )
    enforced.wait_for_level("open")
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    again = enforced.apply(good)
    assert (again.returncode, "this release was used before" in again.stderr) == (2, True)
    assert enforced.refused("alice")


def test_a_lockdown_outlives_a_reboot_and_what_is_done_to_it_by_hand(
    enforced: Enforced, open_host: Host
) -> None:
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    shut = open_host.peek(["cat", DROP_IN]).stdout
    open_host.reboot()
    assert enforced.refused("alice")
    enforced.wait_for_level("automation_only")
    before = record.last_seq(open_host)
    open_host.peek(["rm", DROP_IN])
    enforced.wait_for_level("automation_only")
    assert open_host.peek(["cat", DROP_IN]).stdout == shut
    assert enforced.refused("alice")
    record.wait_for(open_host, before, "files.changed", lambda data: data["paths"][0]["path"] == DROP_IN)
    open_host.peek(f"echo '# nothing' > {DROP_IN}")
    record.wait_until(
        lambda: open_host.peek(["cat", DROP_IN]).stdout == shut, seconds=120, what="the drop-in is repaired"
    )


@contextmanager
def hindered(host: Host, do: str, undo: str) -> Iterator[None]:
    host.peek(do)
    try:
        yield
    finally:
        host.peek(undo)


HINDRANCES = [
    pytest.param(
        "echo 'Bogus yes' > /etc/ssh/sshd_config.d/90-bad.conf",
        "rm -f /etc/ssh/sshd_config.d/90-bad.conf",
        "Bogus",
        id="sshd does not take its settings",
    ),
    pytest.param(
        "printf 'Match User root\\n    AuthorizedKeysFile .ssh/own\\n' > /etc/ssh/sshd_config.d/00-own.conf",
        "rm -f /etc/ssh/sshd_config.d/00-own.conf",
        "For root, sshd does not say authorizedkeysfile none",
        id="something comes before",
    ),
    pytest.param(
        f"mv {AUTHORITY} {AUTHORITY}.away",
        f"mv {AUTHORITY}.away {AUTHORITY}",
        "This host trusts no break-glass authority",
        id="nobody would have a way in",
    ),
    pytest.param(
        f"mv {BREAK_GLASS} {BREAK_GLASS}.away",
        f"mv {BREAK_GLASS}.away {BREAK_GLASS}",
        "sshd does not say authorizedprincipalscommand",
        id="no certificate would let anybody in",
    ),
]


@pytest.mark.parametrize(("do", "undo", "why"), HINDRANCES)
def test_a_lockdown_that_cannot_be_right_leaves_things_as_they_were_and_is_tried_again(
    enforced: Enforced, open_host: Host, do: str, undo: str, why: str
) -> None:
    before = {run["id"] for run in record.status(open_host)["actions"]}
    with hindered(open_host, do, undo):
        enforced.ask("lockdown", "request", "automation_only", *BECAUSE)

        def failed() -> bool:
            runs = [run for run in record.status(open_host)["actions"] if run["id"] not in before]
            return any(run["action"] == "lockdown_automation_only" and run["error"] for run in runs)

        def said() -> bool:
            return why in open_host.peek("cat /var/lib/hostseal/actions/*/result.json", check=False).stdout

        record.wait_until(failed, what="the playbook has failed")
        # The next try takes the result of the one before away, and comes to the same.
        record.wait_until(said, what=f"its output has {why!r}")
        assert open_host.peek(["test", "-e", DROP_IN], check=False).returncode == 1
        assert record.status(open_host)["agent"]["lockdown"] == {
            "level": "automation_only",
            "in_force": False,
        }
        assert "NOT IN FORCE" in open_host.peek([record.HOSTSEAL, "status"], check=False).stdout
        assert not enforced.refused("alice")
    enforced.wait_for_level("automation_only")
    assert enforced.refused("alice")


def test_break_glass_is_not_taken_away_while_it_is_the_way_in(enforced: Enforced, open_host: Host) -> None:
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    with pytest.raises(LabError, match=r"break-glass is the way in that is left"):
        install(replace(enforced.site, variables={}), [open_host], only=["ssh_lockdown"])
    assert enforced.admits("alice")


def test_open_sessions_of_persons_end_where_the_site_says_so_but_by_break_glass(
    enforced: Enforced, open_host: Host
) -> None:
    data = {**enforced.site.data, "lockdown": {"existing_sessions": "terminate"}}
    install(replace(enforced.site, data=data), [open_host], only=["opa"])
    key = enforced.gate.certificate()
    with (
        connection(open_host, "alice") as persons,
        connection(open_host, "deploy") as automations,
        connection(open_host, "alice", identity=key) as emergency,
    ):
        assert answers(persons)
        assert answers(automations)
        assert answers(emergency)
        enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
        assert persons.wait(60) == 255
        enforced.wait_for_level("automation_only")
        assert answers(automations)
        assert answers(emergency)


def removal(site: Site, host: Host, *, purge: bool) -> None:
    role = {
        "name": "hostseal.core.agent",
        "vars": {"hostseal_agent_state": "absent", "hostseal_agent_purge": purge},
    }
    task = {"ansible.builtin.include_role": {"name": role["name"]}, "vars": role["vars"]}
    ran = play(site, [task], host)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_lockdown_outlives_the_agents_removal_and_ends_with_a_purge_on_record(enforced: Enforced) -> None:
    host = enforced.host
    enforced.open_again()
    enforced.ask("lockdown", "request", "automation_only", *BECAUSE)
    enforced.wait_for_level("automation_only")
    removal(enforced.site, host, purge=False)
    assert host.peek(["test", "-e", record.HOSTSEAL], check=False).returncode == 1
    assert enforced.refused("alice")
    assert not enforced.refused("alice", identity=enforced.drill("alice"))
    install(enforced.site, [host])
    enforced.wait_for_level("automation_only")
    removal(enforced.site, host, purge=True)
    assert not enforced.refused("alice")
    assert host.peek(["test", "-e", "/var/lib/hostseal"], check=False).returncode == 1
    said = "journalctl -u opa --no-pager -o cat | grep -F '\"lockdown.released\"' | tail -1"
    logged = host.peek(said).stdout
    assert json.loads(logged)["input"]["event"]["data"]["how"] == "purge"
