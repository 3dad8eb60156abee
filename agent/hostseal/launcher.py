"""The launcher of hosts: a program of the site's (the lab's, a cloud's) that takes one request, as JSON, and answers.

docs/reference/launcher.md says what it must do. Creating is idempotent: the same slot, generation and instance id find
the host that is there.
"""

import os
import selectors
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hostseal.errors import LauncherError

T = TypeVar("T")
_SECONDS = 300.0
_CHUNK_BYTES = 1 << 16
PROGRAM = "hostseal-launch"


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A host that is to be: its slot, its generation there, its instance id (a UUID) and its image's digest."""

    slot: str
    generation: int
    instance: str
    image: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A host that is there. `ssh`: the words of a command to which a remote command is added, as automation."""

    slot: str
    generation: int
    instance: str
    image: str
    name: str
    address: str
    state: str
    ssh: tuple[str, ...] = ()


class BuildInstance(msgspec.Struct, frozen=True, kw_only=True):
    """A host to build an image on: its name for the launcher, where it answers, whose key opens it, ssh's options."""

    name: str
    address: str
    user: str
    private_key: str
    ssh_arguments: str


class _Base(msgspec.Struct, frozen=True, kw_only=True):
    base: str


class Launcher:
    """Speaks to the launcher program."""

    def __init__(self, program: Path, environment: Mapping[str, str] | None = None) -> None:
        """Use this program, with these variables added to the environment."""
        self.program = program
        self.environment = dict(environment or {})

    def create(self, wanted: Wanted) -> Machine:
        """Return the host, up and answering; made now unless it is there. LauncherError."""
        return self._ask(Machine, "create", **msgspec.structs.asdict(wanted))

    def machines(self, slot: str | None = None) -> tuple[Machine, ...]:
        """Return all hosts of the launcher, running or not, or those of one slot. LauncherError."""
        found = self._ask(tuple[Machine, ...], "list")
        return tuple(machine for machine in found if slot in {None, machine.slot})

    def destroy(self, instance: str) -> None:
        """Remove the host with this instance id and all it had; one that is not there is no error. LauncherError."""
        self._ask(dict[str, Any], "destroy", instance=instance)

    def base(self) -> str:
        """Return the digest of what build instances are made from. LauncherError."""
        return self._ask(_Base, "build-base").base

    def build_instance(self) -> BuildInstance:
        """Return a fresh build instance; what earlier builds left is removed. LauncherError."""
        return self._ask(BuildInstance, "build-create")

    def drop_build_instance(self) -> None:
        """Remove every build instance; none is no error. LauncherError."""
        self._ask(dict[str, Any], "build-destroy")

    def _ask(self, kind: type[T], action: str, **fields: Any) -> T:
        request = msgspec.json.encode({"action": action, **fields}).decode()
        try:
            done = subprocess.run(
                [self.program, request],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except OSError as error:
            raise LauncherError(f"the launcher cannot be run: {error}", hint=str(self.program)) from error
        except subprocess.TimeoutExpired as error:
            raise LauncherError(f"the launcher did not {action} within {_SECONDS:.0f} s") from error
        if done.returncode:
            raise LauncherError(f"the launcher could not {action}: {done.stderr.strip()[-2000:]}")
        try:
            return msgspec.json.decode(done.stdout, type=kind)
        except msgspec.DecodeError as error:
            raise LauncherError(
                f"the launcher's answer to {action} is not understood: {error}", hint=done.stdout[:200]
            ) from error


def run(
    machine: Machine, command: Sequence[str], *, seconds: float = 60.0
) -> "subprocess.CompletedProcess[str]":
    """Run words as root on a host, over ssh as automation; any status is returned. LauncherError when it takes longer."""
    argv = [*machine.ssh, shlex.join(["sudo", "-n", "--", *command])]
    try:
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LauncherError(f"{machine.name} did not answer within {seconds:.0f} s: {command[0]}") from error


def fetch(machine: Machine, command: Sequence[str], *, seconds: float, limit: int) -> tuple[bytes, bool]:
    """Return what words print as root on a host that is not to be trusted, and whether it was cut at `limit` bytes.

    LauncherError when it takes longer than `seconds`, or ends with a status.
    """
    argv = [*machine.ssh, shlex.join(["sudo", "-n", "--", *command])]
    deadline, content = time.monotonic() + seconds, bytearray()
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        try:
            for chunk in _chunks(running, deadline):
                content += chunk
                if len(content) > limit:
                    return bytes(content[:limit]), True
            running.wait(max(0.1, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise LauncherError(
                f"{machine.name} did not answer within {seconds:.0f} s: {command[0]}"
            ) from error
        finally:
            running.kill()
    if running.returncode:
        raise LauncherError(f"{command[0]} ended with status {running.returncode} on {machine.name}")
    return bytes(content), False


def _chunks(running: "subprocess.Popen[bytes]", deadline: float) -> Iterator[bytes]:
    """Yield what is printed until its end; TimeoutError when the deadline (monotonic seconds) comes first."""
    if running.stdout is None:
        return
    with selectors.DefaultSelector() as selector:
        selector.register(running.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TimeoutError
            chunk = os.read(running.stdout.fileno(), _CHUNK_BYTES)
            if not chunk:
                return
            yield chunk
