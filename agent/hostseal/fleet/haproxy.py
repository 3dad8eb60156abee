"""HAProxy behind the Balancer port, over its runtime socket (HAProxy management guide 2.6, section 9.3).

Each slot has two server lines in the backend, `SLOT-a` and `SLOT-b`, one of them in maintenance: a successor takes the free one.
Which host a line stands for is its address, so nothing has to be remembered here.
"""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from hostseal.core.lifecycle import Instance
from hostseal.errors import BalancerError

_SOCKET_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_RUNNING = "2"
_MAINTENANCE_BITS = 0b11
_ANSWER_LIMIT = 1 << 20


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One server line as HAProxy has it now."""

    name: str
    address: str
    running: bool
    in_maintenance: bool


class HaProxy:
    """Sends requests to instances, and stops sending them."""

    def __init__(self, path: Path, backend: str, port: int, *, seconds: float) -> None:
        """`seconds` bounds the wait for a server to be up, and the wait for its last request to end."""
        self._path, self._backend, self._port, self._seconds = path, backend, port, seconds

    def serve(self, instance: Instance) -> None:
        """Send requests to the instance; return when HAProxy's own check has passed. BalancerError when it does not."""
        if instance.address is None:
            raise BalancerError(f"{instance.host} has no address")
        line = self._line(instance) or self._free(instance)
        server = f"{self._backend}/{line.name}"
        if line.in_maintenance or not line.running:
            self._do(f"set server {server} addr {instance.address} port {self._port}")
            # A server that leaves maintenance counts as up until a check fails: said to be down, it waits for one that passes.
            self._do(f"set server {server} state ready; set server {server} health down")
        else:
            self._do(f"set server {server} state ready")
        self._wait(
            lambda: (found := self._line(instance)) is not None and found.running,
            f"{server} ({instance.host}, {instance.address}:{self._port}) is not up",
        )

    def drain(self, instance: Instance) -> None:
        """Send the instance nothing new, and wait until it has no request left; those left at the deadline are ended.

        A host in bad hands could keep one open for ever.
        """
        line = self._line(instance)
        if line is None or line.in_maintenance:
            return
        server = f"{self._backend}/{line.name}"
        self._do(f"set server {server} state drain")
        deadline = time.monotonic() + self._seconds
        while self._current(line.name) > 0:
            if time.monotonic() > deadline:
                self._do(f"shutdown sessions server {server}")
                return
            time.sleep(_PAUSE_SECONDS)

    def forget(self, instance: Instance) -> None:
        """Put the instance's line into maintenance: it is free for a successor."""
        line = self._line(instance)
        if line is not None:
            self._do(f"set server {self._backend}/{line.name} state maint")

    def lines(self, slot: str) -> list[Line]:
        """Return the slot's lines."""
        names = {f"{slot}-a", f"{slot}-b"}
        rows = self._ask(f"show servers state {self._backend}").splitlines()
        header = next((row[1:].split() for row in rows if row.startswith("#")), [])
        found = [
            dict(zip(header, row.split(), strict=False)) for row in rows if row[:1].isdigit() and " " in row
        ]
        return [
            Line(
                name=row["srv_name"],
                address=row["srv_addr"],
                running=row["srv_op_state"] == _RUNNING,
                in_maintenance=bool(int(row["srv_admin_state"]) & _MAINTENANCE_BITS),
            )
            for row in found
            if row.get("srv_name") in names
        ]

    def _line(self, instance: Instance) -> Line | None:
        return next((one for one in self.lines(instance.slot) if one.address == instance.address), None)

    def _free(self, instance: Instance) -> Line:
        lines = self.lines(instance.slot)
        for line in lines:
            if line.in_maintenance:
                return line
        why = (
            "both lines are in use"
            if lines
            else f"there are no lines {instance.slot}-a and {instance.slot}-b"
        )
        raise BalancerError(
            f"backend {self._backend} has no place for {instance.host}: {why}", hint=str(self._path)
        )

    def _current(self, name: str) -> int:
        rows = self._ask("show stat -1 4 -1").splitlines()
        header = rows[0].lstrip("# ").split(",")
        for row in rows[1:]:
            values = dict(zip(header, row.split(","), strict=False))
            if (values.get("pxname"), values.get("svname")) == (self._backend, name):
                return int(values["scur"] or 0) + int(values["qcur"] or 0)
        raise BalancerError(f"HAProxy has no server {self._backend}/{name}", hint=str(self._path))

    def _do(self, command: str) -> None:
        """Give a command that answers nothing when it is done."""
        lines = [line for line in self._ask(command).splitlines() if line.strip()]
        wrong = [line for line in lines if "changed from" not in line and "no need to change" not in line]
        if wrong:
            raise BalancerError(f"HAProxy refused `{command}`: {' '.join(wrong)}", hint=str(self._path))

    def _ask(self, command: str) -> str:
        answer = b""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as haproxy:
                haproxy.settimeout(_SOCKET_SECONDS)
                haproxy.connect(str(self._path))
                haproxy.sendall(command.encode("ascii") + b"\n")
                while (part := haproxy.recv(65536)) and len(answer) < _ANSWER_LIMIT:
                    answer += part
        except (OSError, UnicodeEncodeError) as error:
            raise BalancerError(f"HAProxy cannot be asked: {error}", hint=str(self._path)) from error
        return answer.decode("utf-8", "replace").strip()

    def _wait(self, done: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + self._seconds
        while not done():
            if time.monotonic() > deadline:
                raise BalancerError(f"{otherwise} after {self._seconds:g} s")
            time.sleep(_PAUSE_SECONDS)
