"""A host in mode `enforce` with a break-glass authority off it, and what the tests do with its login gate."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from e2e import record
from lab import Host, HostOptions, Lab
from lab.ssh import Completed, finish
from lab_site import Site, install

HOSTSEAL = Path(sys.executable).with_name("hostseal")
HOW = "Ask carol."


class Guarded:
    """The host, and the authority off it."""

    def __init__(self, host: Host, site: Site, folder: Path) -> None:
        self.host, self.site, self.folder = host, site, folder
        self._made = 0

    def certificate(self, *more: str, user: str = "alice") -> Path:
        """Return the key of a new break-glass certificate; its certificate lies beside it."""
        self._made += 1
        key = self.folder / f"glass-{self._made}"
        command = [
            HOSTSEAL, "break-glass", "grant", "--user", user, "--host", self.host.name,
            "--instance", self.host.machine_id, "--ticket", "INC-7", "--reason", "the disk is full",
            "--authority", self.folder / "authority", "--site", self.folder / "site.json",
            "--record", self.folder / "record", "--out", key, "--person", "carol", *more,
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        return key

    def ssh(
        self,
        user: str,
        *command: str,
        key: Path | None = None,
        program: tuple[str, ...] = ("ssh",),
        given: str | None = None,
    ) -> Completed:
        """Connect as somebody, with another key than the lab's where one is named."""
        _, *options, target = self.host.ssh_args(user)
        if key is not None:
            options = [str(key) if word == str(self.host.key(user)) else word for word in options]
        return finish([*program, *options, target, *command], given=given, timeout=60)

    def state(self) -> str:
        """Return the gate's state."""
        done = self.host.peek([record.HOSTSEAL, "gate", "status", "--json"])
        return str(json.loads(done.stdout)["state"])

    def prove(self) -> None:
        """Show that break-glass works, by a drill, and wait until the gate is on trial."""
        assert self.ssh("alice", key=self.certificate("--drill")).returncode == 0
        record.wait_until(lambda: self.state() != "off", what="the gate is on trial")

    def arm(self) -> None:
        """See to it that the gate is armed."""
        if self.state() == "off":
            self.prove()
        if self.state() == "trial":
            done = self.ssh("deploy", f"sudo {record.HOSTSEAL} gate confirm")
            assert done.returncode == 0, done.stderr

    def disarm(self) -> None:
        """See to it that the gate is off."""
        self.host.peek([record.HOSTSEAL, "gate", "disarm", "--person", "carol", "--reason", "the next test"])
        assert self.state() == "off"

    def settings(self, **gate: Any) -> None:
        """Put settings of the gate in force."""
        lines = ["[gate]", *(f"{name} = {json.dumps(value)}" for name, value in gate.items())]
        put = "cat > /etc/hostseal/config.d/60-gate.toml"
        self.host.peek(["sh", "-c", put], input="\n".join(lines) + "\n")
        self.host.peek(["systemctl", "restart", "hostseal.service"])
        record.wait_until(lambda: record.status(self.host)["agent"] is not None, what="the agent is back")

    @contextmanager
    def broken(self, breaking: str, mending: str) -> Iterator[None]:
        """Break something on the host by one script, and mend it by another in any case."""
        self.host.peek(["bash", "-ec", breaking])
        try:
            yield
        finally:
            self.host.peek(["bash", "-ec", mending])


def set_up(lab: Lab, folder: Path, **more: Any) -> Guarded:
    """Boot a host with a console, make a break-glass authority, and apply the roles; `more` is further site data."""
    authority = folder / "authority"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority], check=True, timeout=30)
    listed = subprocess.run(
        ["ssh-keygen", "-lf", authority], check=True, capture_output=True, text=True, timeout=30
    )
    data: dict[str, Any] = {
        "break_glass": {"authorities": [listed.stdout.split()[1]]},
        "login": {"how_to_ask": HOW, "deadline_seconds": 900},
        **more,
    }
    (folder / "site.json").write_text(json.dumps(data))
    host = lab.up(["one"], options=HostOptions(console=True))[0]
    site = Site(
        folder,
        default_mode="enforce",
        data=data,
        variables={"hostseal_break_glass_authorities": [f"{authority}.pub"]},
    )
    install(site, [host])
    record.wait_for(host, 0, "agent.started")
    return Guarded(host, site, folder)
