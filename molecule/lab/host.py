"""One running host, as a test or a play sees it."""

import shlex
import subprocess
import sys
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from lab import keys, lifecycle, overlay
from lab.console import Console
from lab.errors import LabError
from lab.pty_relay import SOCKET
from lab.records import HostRecord, read_run
from lab.ssh import Completed, client, finish, options, remote_words

INSIDE_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Host:
    """A host of a lab."""

    def __init__(self, record: HostRecord) -> None:
        """Speak for the host of this record."""
        self.record = record

    @property
    def name(self) -> str:
        """Return the host's name, which is also its host name inside."""
        return self.record.name

    @property
    def address(self) -> str:
        """Return the host's IPv4 address."""
        return self.record.address

    @property
    def machine_id(self) -> str:
        """Return what /etc/machine-id says inside."""
        return self.record.machine_id

    @property
    def known_hosts(self) -> Path:
        """Return the list of the lab's host keys."""
        return keys.known_hosts(self.record.lab)

    def key(self, user: str) -> Path:
        """Return a user's private key."""
        return keys.user_key(self.record.lab, user)

    def ssh_args(self, user: str, *, pty: bool = False) -> list[str]:
        """Return the words of an ssh command up to and with its destination, for Popen or exec."""
        return client(
            user,
            self.address,
            identity=self.key(user),
            known_hosts=self.known_hosts,
            terminal=("-tt",) if pty else (),
        )

    def ssh(
        self,
        user: str,
        command: Sequence[str] | str | None = None,
        *,
        pty: bool = False,
        input: str | None = None,  # noqa: A002 - as subprocess.run names it
        timeout: float = 60,
    ) -> Completed:
        """Log in and run text for the remote shell, quoted words, or (None) a shell; any status is returned."""
        argv = [*self.ssh_args(user, pty=pty), *remote_words(command)]
        return finish(argv, given=input, timeout=timeout)

    def run(
        self,
        command: Sequence[str] | str,
        *,
        check: bool = True,
        input: str | None = None,  # noqa: A002 - as subprocess.run names it
        timeout: float = 60,
    ) -> Completed:
        """Run as root through the automation account's sudo; this is a login. Raise LabError on a status if `check`."""
        words = ["sh", "-c", command] if isinstance(command, str) else list(command)
        done = self.ssh(keys.AUTOMATION, ["sudo", "-n", "--", *words], input=input, timeout=timeout)
        return done.check() if check else done

    def peek(
        self,
        command: Sequence[str] | str,
        *,
        check: bool = True,
        input: str | None = None,  # noqa: A002 - as subprocess.run names it
        timeout: float = 60,
    ) -> Completed:
        """Run as root from outside (nsenter): no login, no session, nothing for a sensor of logins to see."""
        words = ["sh", "-c", command] if isinstance(command, str) else list(command)
        enter = ["nsenter", "-t", str(lifecycle.leader(self.record)), "-m", "-u", "-i", "-n", "-p", "--"]
        argv = [*enter, "env", "-i", INSIDE_PATH, "LANG=C.UTF-8", "HOME=/root", *words]
        done = finish(argv, given=input, timeout=timeout)
        return done.check() if check else done

    def copy_in(self, source: Path, target: str, *, timeout: float = 120) -> None:
        """Copy a file or folder to exactly this path on the host, owned by root, modes kept."""
        source = source.resolve()
        folder, name = shlex.quote(str(Path(target).parent)), shlex.quote(Path(target).name)
        # The archive holds the source under its target's name, so one tar unpacks files and folders alike.
        rename = f"--transform=s,^{_sed(source.name)},{_new(Path(target).name)},"
        pack = ["tar", "-C", str(source.parent), "--owner=0", "--group=0", "--exclude=__pycache__"]
        unpack = f"mkdir -p {folder} && rm -rf {folder}/{name} && tar -C {folder} --no-same-owner -xpf -"
        remote = [*self.ssh_args(keys.AUTOMATION), shlex.join(["sudo", "-n", "sh", "-c", unpack])]
        with subprocess.Popen(
            [*pack, rename, "-cf", "-", "--", source.name], stdout=subprocess.PIPE
        ) as packer:
            try:
                done = subprocess.run(
                    remote, stdin=packer.stdout, capture_output=True, timeout=timeout, check=False
                )
            except subprocess.TimeoutExpired as error:
                raise LabError(f"copying {source} to {self.name} took over {timeout:g} s") from error
        if packer.returncode != 0 or done.returncode != 0:
            raise LabError(
                f"cannot copy {source} to {self.name}:{target}: {done.stderr.decode(errors='replace')}"
            )

    def journal(self, *arguments: str) -> str:
        """Return the host's journal, by journalctl's arguments; read from outside."""
        return self.peek(["journalctl", "--no-pager", *arguments]).stdout

    def boots(self) -> int:
        """Return how often the host has booted since it was started."""
        run = read_run(self.record.folder)
        return 0 if run is None else run.boots

    def reboot(self, *, timeout: float = 90, accept: Container[str] = ("running", "degraded")) -> None:
        """Reboot the host as its administrator would, and wait until it is back."""
        before = self.boots()
        self.run(["systemctl", "reboot"], check=False)  # the connection may end before the status arrives
        lifecycle.wait_ready(self.record, seconds=timeout, boot=before + 1, accept=accept)

    def stop(self) -> None:
        """Shut the host down; its disk stays."""
        lifecycle.stop(self.record.folder, self.record.name, self.record.lab)

    def start(self, *, timeout: float = 90, accept: Container[str] = ("running", "degraded")) -> None:
        """Start a stopped host with the disk it had, and wait until it is up."""
        if not lifecycle.is_running(self.record):
            lifecycle.start(self.record)
        lifecycle.wait_ready(self.record, seconds=timeout, accept=accept)

    def capture(self, target: Path) -> None:
        """Copy all that the host, which must be stopped, has on its disk into the new folder `target`."""
        if lifecycle.is_running(self.record):
            raise LabError(f"{self.name} runs", "stop it first: a disk is copied when nobody writes to it")
        overlay.capture(self.record, target)

    def wait_ready(self, *, timeout: float = 90) -> None:
        """Wait until the host is up, whoever started it; LabError if it is not within `timeout` seconds."""
        lifecycle.wait_ready(self.record, seconds=timeout)

    def console(self) -> Console:
        """Return root's console; use it in a `with` statement. The host must have been started with one."""
        return Console(self.record.folder / SOCKET)

    def describe(self) -> dict[str, Any]:
        """Return what `lab list --json` shows of the host."""
        lab = self.record.lab
        return {
            "name": self.name,
            "lab": lab,
            "address": self.address,
            "state": self.state(),
            "user": keys.AUTOMATION,
            "identity_file": str(self.key(keys.AUTOMATION)),
            "keys": {user: str(self.key(user)) for user in keys.USERS},
            "known_hosts": str(self.known_hosts),
            "ssh_common_args": shlex.join(options(self.known_hosts)),
            "ssh_config": str(keys.ssh_config(lab)),
            "machine_id": self.machine_id,
            "image": self.record.image,
            "tags": self.record.options.tags,
            "console": str(self.record.folder / SOCKET) if self.record.options.console else None,
        }

    def state(self) -> str:
        """Return running, starting, stopped (by itself or by us) or crashed."""
        run = read_run(self.record.folder)
        if run is None or run.ended is not None:
            return "stopped"
        if lifecycle.is_running(self.record):
            return "running"
        return "starting" if run.supervisor.alive() else "crashed"

    def exec_ssh(self, user: str, command: Sequence[str], *, pty: bool) -> Sequence[str]:
        """Return the words for a person's ssh: a terminal where there is one."""
        terminal = pty or (not command and sys.stdin.isatty())
        return [*self.ssh_args(user, pty=terminal), *command]


def _sed(text: str) -> str:
    return "".join(f"\\{character}" if character in r"\,.*[]^$&" else character for character in text)


def _new(text: str) -> str:
    """Quote the second half: tar keeps a backslash there where it is not needed."""
    return "".join(f"\\{character}" if character in "\\,&" else character for character in text)
