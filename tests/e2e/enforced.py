"""A host whose SSH is locked down and opened again, and a break-glass authority that is not on it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from e2e import record
from e2e.guarded import Guarded
from lab import Completed
from lab.ssh import finish

DROP_IN = "/etc/ssh/sshd_config.d/05-hostseal-lockdown.conf"
AUTHORITY = "/etc/ssh/hostseal_break_glass.pub"
HOSTSEAL = record.HOSTSEAL


class Enforced:
    """The host, the site it belongs to, and its login gate, with the break-glass authority off the host."""

    def __init__(self, gate: Guarded) -> None:
        self.gate, self.site, self.host = gate, gate.site, gate.host

    def drill(self, user: str) -> Path:
        """Return the key of a new certificate that can do nothing but show that it lets `user` in."""
        return self.gate.certificate("--drill", user=user)

    def admits(self, user: str) -> bool:
        """Tell whether break-glass lets `user` in; the agent has then seen it, and put the login gate on trial."""
        before = record.last_seq(self.host)
        if self.refused(user, identity=self.drill(user)):
            return False
        record.wait_for(self.host, before, "session.channel", lambda data: data["user"] == user)
        return True

    def login(self, user: str, *, identity: Path | None = None, options: tuple[str, ...] = ()) -> Completed:
        """Log in over a connection of its own and run `true`."""
        words = self.host.ssh_args(user)
        if identity is not None:
            words[words.index(str(self.host.key(user)))] = str(identity)
        return finish([*words[:-1], *options, words[-1], "true"], given=None, timeout=30)

    def refused(self, user: str, *, identity: Path | None = None) -> bool:
        """Tell whether sshd refused a login by all its methods; any other failure fails the test."""
        done = self.login(user, identity=identity)
        assert done.returncode == 0 or "Permission denied" in done.stderr, done.stderr
        return done.returncode != 0

    def ask(self, *words: str) -> Completed:
        """Run `hostseal` as root on the host, from outside."""
        return self.host.peek([HOSTSEAL, *words], check=False)

    def release(
        self, *, key: Path | None = None, host: str | None = None, incident: str | None = None
    ) -> str:
        """Return a release, signed where the pardon key is."""
        found = record.status(self.host)["lockdown"]
        command = [Path(sys.executable).with_name("hostseal"), "lockdown", "release", "--reason", "all clear"]
        command += ["--host", host or self.host.name, "--incident", incident or found["incident"]]
        command += ["--key", key or self.site.keys / "pardon.key", "--person", "carol"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout

    def apply(self, signed: str) -> Completed:
        """Hand a release to the agent on the host."""
        return self.host.peek([HOSTSEAL, "lockdown", "apply-release", "-"], input=signed, check=False)

    def wait_for_level(self, level: str) -> None:
        """Wait until sshd's drop-in is that of the level and every playbook has run."""

        found: dict[str, Any] = {}

        def look() -> bool:
            found.update(record.status(self.host))
            agent = found["agent"]
            return (
                found["lockdown"]["level"] == level
                and agent is not None
                and agent["lockdown"]["in_force"]
                and all(run["state"] in {"done", "dead"} for run in found["actions"])
            )

        try:
            record.wait_until(look, what=f"{self.host.name} is locked down: {level}")
        except AssertionError as error:
            seen = {"lockdown": found["lockdown"], "agent": found["agent"], "actions": found["actions"][-5:]}
            raise AssertionError(f"{error}; it is {json.dumps(seen)}") from error

    def open_again(self) -> None:
        """Release the host if it is locked down, and switch off the gate that a break-glass login put on trial."""
        if record.status(self.host)["lockdown"]["level"] != "open":
            assert self.apply(self.release()).returncode == 0
        self.wait_for_level("open")
        self.gate.disarm()
