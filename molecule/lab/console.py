"""Root's console of a host, for tests and for people."""

import os
import re
import secrets
import select
import socket
import sys
import termios
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.errors import LabError

LEAVE = b"\x1d"  # Ctrl-]


class Console:
    """A connection to the console; root is logged in there."""

    def __init__(self, path: Path) -> None:
        """Connect to a host's console socket."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise LabError(
                f"no console at {path}: {error.strerror}", "start the host with a console"
            ) from error
        self._seen = ""

    def __enter__(self) -> Self:
        """Return the console once its shell answers."""
        self.ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up; the shell on the host stays."""
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def ready(self, *, timeout: float = 30) -> None:
        """Wait until the shell answers."""
        deadline = time.monotonic() + timeout
        while True:
            self.send("\r")
            try:
                self.expect(r"[#$] $", timeout=1)
            except LabError:
                if time.monotonic() >= deadline:
                    raise
                continue
            return

    def send(self, text: str) -> None:
        """Type text; a line ends with a carriage return or a newline."""
        self._socket.sendall(text.replace("\n", "\r").encode(errors="surrogateescape"))

    def expect(self, pattern: str, *, timeout: float = 10) -> str:
        """Return the output up to and with the first match of a regular expression; raise LabError at the deadline."""
        deadline = time.monotonic() + timeout
        expression = re.compile(pattern)
        while True:
            match = expression.search(self._seen)
            if match is not None:
                found, self._seen = self._seen[: match.end()], self._seen[match.end() :]
                return found
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._socket], [], [], remaining)[0]:
                raise LabError(
                    f"the console did not show {pattern!r} in {timeout:g} s but {self._seen[-500:]!r}"
                )
            output = self._socket.recv(65536)
            if not output:
                raise LabError(f"the console closed before it showed {pattern!r}")
            self._seen += output.decode(errors="surrogateescape")

    def run(self, command: str, *, timeout: float = 30) -> tuple[int, str]:
        """Type a command; return its status and output (as the terminal shows it, newlines normalized)."""
        mark = secrets.token_hex(8)
        # The echo shows the halves apart, so only the output matches.
        halves = f"{mark[:8]}''{mark[8:]}"
        self._seen = ""
        self.send(f"echo {halves}; {command}; echo {halves}:$?\n")
        shown = self.expect(rf"(?s)(?<!\S){mark}\r?\n.*{mark}:\d+\r?\n", timeout=timeout).replace(
            "\r\n", "\n"
        )
        body, _, status = shown.rpartition(f"{mark}:")
        return int(status), body.partition(f"{mark}\n")[2]


def attach(path: Path) -> None:
    """Join the caller's terminal with a host's console until Ctrl-]."""
    console = Console(path)
    link = console._socket  # noqa: SLF001 - this is the same adapter, for people
    source = sys.stdin.fileno()
    before = termios.tcgetattr(source)
    print("Ctrl-] leaves the console.", flush=True)
    try:
        tty.setraw(source)
        link.sendall(b"\r")
        while True:
            ready = select.select([link, source], [], [])[0]
            if link in ready:
                output = link.recv(65536)
                if not output:
                    return
                os.write(sys.stdout.fileno(), output)
            if source in ready:
                typed = os.read(source, 1024)
                if not typed or LEAVE in typed:
                    return
                link.sendall(typed)
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, before)
        console.close()
