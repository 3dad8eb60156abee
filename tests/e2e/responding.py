"""What the tests of responses do and look for on their host: connections that stay, sessions that are gone, plays over ssh."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from e2e import record
from lab import Host
from lab_site import Site

ROOT = Path(__file__).parents[2]
BECAUSE = ("--person", "carol", "--reason", "somebody is in")


def opened(host: Host, after: int, user: str) -> int:
    """Return the audit session id of the session that `user` has opened."""
    found = record.wait_for(host, after, "session.opened", lambda data: data["user"] == user)
    return int(found["event"]["data"]["audit_session"])


def gone(host: Host, audit: int) -> bool:
    """Tell whether no process has the audit session id, and logind knows no such session."""
    look = (
        f"grep -lx {audit} /proc/[0-9]*/sessionid;"
        f" for s in $(loginctl list-sessions --no-legend | awk '{{print $1}}');"
        f" do loginctl show-session $s -p Audit --value; done | grep -x {audit}"
    )
    return host.peek(look, check=False).stdout == ""


def done(host: Host, action: str) -> bool:
    """Tell whether the last run of an action has succeeded and none is left to do."""
    runs = [run for run in record.status(host)["actions"] if run["action"] == action]
    return bool(runs) and all(run["state"] == "done" for run in runs)


def play(site: Site, tasks: list[dict[str, Any]], host: Host) -> subprocess.CompletedProcess[str]:
    """Run tasks on the host over ssh, as automation does."""
    playbook = site.folder / "responses.yml"
    playbook.write_text(
        json.dumps([{"hosts": host.name, "gather_facts": True, "become": True, "tasks": tasks}])
    )
    program = Path(sys.executable).with_name("ansible-playbook")
    return subprocess.run(
        [program, "-i", site.folder / "inventory.json", playbook],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_HOME": str(site.folder / "ansible"),
            "ANSIBLE_SSH_PIPELINING": "True",
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@contextmanager
def connection(
    host: Host, user: str, *options: str, identity: Path | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Yield a connection that stays: it gives back each line that it is given."""
    words = host.ssh_args(user)
    if identity is not None:
        words[words.index(str(host.key(user)))] = str(identity)
    command = [*words[:-1], *options, words[-1], *([] if "-N" in options else ["cat"])]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as client:
        try:
            yield client
        finally:
            client.terminate()


def answers(client: "subprocess.Popen[str]") -> bool:
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write("still here\n")
    client.stdin.flush()
    return client.stdout.readline() == "still here\n"
