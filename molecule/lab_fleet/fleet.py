"""Everything on the control side, started and stopped together: ledger, policy engine, HAProxy, settings."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from hostseal import keys
from hostseal.clock import SystemClock
from hostseal.core.images import Image
from hostseal.ledger.book import PARDON_KEY, Ledger
from hostseal.policy import bundle
from hostseal.trial import opa_child
from lab import Host, Lab
from lab.network import gateway
from lab_fleet import authority, certificate
from lab_fleet.child import running
from lab_fleet.load import Load
from lab_site.images import CONFIGURATION, LAUNCHER, ImageSite, shared_keys
from lab_site.install import AUTOMATION, REPO

HERE = Path(__file__).parent
HOSTSEAL = Path(sys.executable).with_name("hostseal")
LEDGER_PORT = 18443
SERVICE_PORT = 8080
HEARTBEAT_SECONDS = 5
GUARDED = "demo-web-3"
"""The demo's host whose login gate refuses people, once break-glass has worked there. It stands in each lab's data: the
same data is the same image, built once."""


class FleetLab:
    """A fleet in one folder and one lab. Enter it to have its services; `up` makes its first hosts."""

    def __init__(self, folder: Path, prefix: str, slots: Sequence[str], *, data: Mapping[str, Any]) -> None:
        """`data` is the policy's site data beside what the lab says itself."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder, self.prefix, self.slots = folder, prefix, tuple(slots)
        self.site_data = {
            "automation": {"accounts": [AUTOMATION], "key_fingerprints": []},
            "default": {"mode": "flag"},
            "deadline_seconds": 3600,
            "hosts": {GUARDED: {"mode": "enforce"}},
            **data,
        }
        self.break_glass = authority.ensure(shared_keys())
        self.site_data["break_glass"] = {"authorities": [authority.fingerprint(self.break_glass)]}
        address = gateway()
        self._certificate = certificate.ensure(shared_keys(), address)
        self.images = ImageSite(
            folder,
            prefix,
            data=self.site_data,
            variables={
                "hostseal_ledger_url": f"https://{address}:{LEDGER_PORT}",
                "hostseal_ledger_ca": str(self._certificate[0]),
                "hostseal_break_glass_authorities": [f"{self.break_glass}.pub"],
                "hostseal_agent_settings": {"ledger": {"heartbeat_seconds": HEARTBEAT_SECONDS}},
            },
            tasks=HERE / "web.yml",
        )
        self.front_port = _free_port()
        self.opa_url = ""
        self._running = contextlib.ExitStack()

    @property
    def ledger_folder(self) -> Path:
        """The ledger's data directory."""
        return self.folder / "ledger"

    @property
    def settings(self) -> Path:
        """The controller's settings."""
        return self.folder / "fleet.toml"

    @property
    def lab(self) -> Lab:
        """The lab the hosts are in."""
        return Lab(self.prefix)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as starting:
            starting.enter_context(self.ledger())
            self.opa_url = starting.enter_context(self._opa())
            starting.enter_context(self._haproxy())
            self._write_settings()
            # The ledger's port is ours now, so hosts of this lab are what a crashed run has left.
            self.lab.down()
            # The hosts go first: the ledger would wait for their connections to end.
            starting.callback(self.lab.down)
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def image(self, say: Callable[[str], None]) -> Image:
        """Return the current image: built if need be, boot-tested, current."""
        return self.images.ensure_current(say)

    def up(self) -> None:
        """Make the first host of each slot."""
        for slot in self.slots:
            self.run("fleet", "add", slot).check_returncode()

    def run(self, *words: str, timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run `hostseal` as the operator on the control side does."""
        return subprocess.run(
            [HOSTSEAL, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The operator's environment: where settings and ledger are."""
        tools = os.pathsep.join(
            [str(HOSTSEAL.parent), str(REPO / ".tools/bin"), os.environ.get("PATH", os.defpath)]
        )
        return {
            **os.environ,
            "PATH": tools,
            "HOSTSEAL_FLEET": str(self.settings),
            "HOSTSEAL_LEDGER": str(self.ledger_folder),
        }

    def host(self, name: str) -> Host:
        """Return a host of the fleet by its name."""
        return next(host for host in self.lab.hosts() if host.name == name)

    def load(self) -> Load:
        """Return a stream of requests at the front, to be entered."""
        return Load(self.front_port)

    @contextlib.contextmanager
    def ledger(self) -> Iterator[None]:
        """Run the ledger."""
        pem, key = self._certificate
        command = [
            HOSTSEAL, "ledger", "serve", "--data", self.ledger_folder, "--listen", f"0.0.0.0:{LEDGER_PORT}",
            "--certificate", pem, "--certificate-key", key,
            "--checkpoint-key", keys.ensure_pair(self.folder / "keys", "checkpoint"),
            "--enrolment-key", keys.ensure_pair(shared_keys(), "enrolment").with_suffix(".pub"),
            "--heartbeat-seconds", str(HEARTBEAT_SECONDS),
        ]  # fmt: skip
        self.ledger_folder.mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(
            keys.ensure_pair(shared_keys(), "pardon").with_suffix(".pub"), self.ledger_folder / PARDON_KEY
        )
        with running(command, self.folder / "ledger.log", lambda: _answers(LEDGER_PORT)):
            yield

    def opened(self) -> Ledger:
        """Return the ledger, opened beside its service."""
        return Ledger(self.ledger_folder, SystemClock())

    @contextlib.contextmanager
    def _opa(self) -> Iterator[str]:
        """Run the control side's policy engine, by the same policies and the same site data as the hosts'."""
        program, made = opa_child.find(), self.folder / "control-bundle.tar.gz"
        bundle.build(program, REPO / "policies", self.site_data, made, None)
        with opa_child.running(program, made, self.folder / "control-decisions.jsonl") as url:
            yield url

    @contextlib.contextmanager
    def _haproxy(self) -> Iterator[None]:
        text = (HERE / "haproxy.cfg").read_text("utf-8")
        text = text.replace("FOLDER", str(self.folder)).replace("PORT", str(self.front_port))
        lines = [f"    server {slot}-{line} 0.0.0.0:0 disabled\n" for slot in self.slots for line in "ab"]
        config, control = self.folder / "haproxy.cfg", self.folder / "haproxy.sock"
        config.write_text(text + "".join(lines), "utf-8")
        control.unlink(missing_ok=True)
        with running(["haproxy", "-db", "-f", config], self.folder / "haproxy.log", control.exists):
            yield

    def _write_settings(self) -> None:
        environment = "".join(
            f"{name} = {json.dumps(value)}\n" for name, value in self.images.environment.items()
        )
        self.settings.write_text(
            f"""
[fleet]
ledger = "{self.ledger_folder}"
evidence = "{self.folder}/evidence"

[opa]
url = "{self.opa_url}"

[pipeline]
catalogue = "{self.folder}/images"
launcher = "{LAUNCHER}"
configuration = "{CONFIGURATION}"
state = "{self.folder}/tofu"

[pipeline.environment]
{environment}
[service]
port = {SERVICE_PORT}

[balancer]
socket = "{self.folder}/haproxy.sock"
backend = "web"
""",
            "utf-8",
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
