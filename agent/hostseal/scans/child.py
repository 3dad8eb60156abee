"""One scan by `hostseal seal scan`, a process of its own: it may be killed, and its memory is not the agent's."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from hostseal.cli.exit_codes import ExitCode
from hostseal.config.seal import SealSettings
from hostseal.core.scan_plan import Cause, Job, Outcome, Pace
from hostseal.core.scopes import WHOLE
from hostseal.core.seal_compare import Difference

NICE = {Pace.URGENT: 5, Pace.REST: 19}
LOOK_SECONDS = 0.5
_END_SECONDS = 5.0
# Who holds a file mapped may write without its times telling, and who asks for a scan wants no answer from before.
_ANEW = {Cause.MAPS, Cause.DEMAND}
_GOOD = {ExitCode.OK, ExitCode.SEAL_BROKEN}
_LINE_LIMIT = 1 << 20
_SAID_LIMIT = 2_000

Take = Callable[[list[Difference]], None]
Tick = Callable[[], None]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A scan's last line: without it nothing was found out. Counts of paths, and the seconds it took."""

    done: bool
    entries: int = 0
    hashed: int = 0
    cached: int = 0
    unreadable: int = 0
    seconds: float = 0.0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a scan ended, what it said last, and why it failed."""

    outcome: Outcome
    summary: Summary | None = None
    why: str = ""


class _Line(msgspec.Struct, frozen=True):
    done: bool = False
    path: str | None = None


class Child:
    """Runs scans, one at a time."""

    def __init__(self, settings: SealSettings, cache: Path, program: Sequence[str] = ()) -> None:
        """`cache` keeps what is known of unchanged files; `program` stands for `hostseal`."""
        self._settings, self._cache = settings, cache
        self._program = tuple(program) or (sys.executable, "-I", "-m", "hostseal")
        self.pid: int | None = None

    def run(
        self, job: Job, take: Take, tick: Tick, stop: threading.Event, gives_way: Callable[[], bool] = bool
    ) -> Ended:
        """Scan; hand on differences as they are found, and call `tick` at least every second.

        A scan that is over its time is killed: LATE; so is one that `gives_way`, asked as often: GAVE_WAY. One that says no
        last line has failed, however it ended.
        """
        limit = self._settings.urgent_seconds if job.pace is Pace.URGENT else self._settings.limit_seconds
        try:
            process = subprocess.Popen(
                self._command(job),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
        except OSError as error:
            return Ended(outcome=Outcome.FAILED, why=f"it cannot be started: {error}")
        self.pid = process.pid
        try:
            with contextlib.suppress(OSError):  # gone already
                os.setpriority(os.PRIO_PROCESS, process.pid, NICE[job.pace])
            return self._follow(process, take, tick, stop, time.monotonic() + limit, gives_way)
        finally:
            self.pid = None
            _end(process)

    def _command(self, job: Job) -> list[str | bytes]:
        command: list[str | bytes] = [*self._program, "seal", "scan", "--json-lines", "--newest-first"]
        command += ["--manifest", self._settings.manifest, "--public-key", self._settings.public_key]
        if job.cause not in _ANEW:
            command += ["--cache", str(self._cache)]
        if job.pace is Pace.REST:
            command.append("--idle")
        for top in job.scope if job.scope != WHOLE else ():
            command += ["--scope", top]
        return command

    def _follow(
        self,
        process: "subprocess.Popen[bytes]",
        take: Take,
        tick: Tick,
        stop: threading.Event,
        deadline: float,
        gives_way: Callable[[], bool],
    ) -> Ended:
        output = _Output(process)
        summary: Summary | None = None
        while output.open:
            try:
                differences, last = _understood(output.lines(LOOK_SECONDS))
            except (msgspec.DecodeError, ValueError) as error:
                return Ended(outcome=Outcome.FAILED, why=f"what it says is not understood: {error}")
            summary = last or summary
            if differences:
                take(differences)
            tick()
            if stop.is_set():
                return Ended(outcome=Outcome.FAILED, why="the agent stops")
            if time.monotonic() > deadline:
                return Ended(outcome=Outcome.LATE, why="it took too long and was ended")
            if gives_way():
                return Ended(outcome=Outcome.GAVE_WAY, why="a more urgent one was due")
        return _result(process, summary, output.said())


def _understood(lines: Iterable[bytes]) -> tuple[list[Difference], Summary | None]:
    """Return what lines say; those that only tell how far the scan is say nothing. DecodeError, ValueError."""
    differences: list[Difference] = []
    summary: Summary | None = None
    for line in lines:
        kind = msgspec.json.decode(line, type=_Line)
        if kind.done:
            summary = msgspec.json.decode(line, type=Summary)
        elif kind.path is not None:
            differences.append(msgspec.json.decode(line, type=Difference))
    return differences, summary


def _result(process: "subprocess.Popen[bytes]", summary: Summary | None, said: str) -> Ended:
    try:
        code = process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        return Ended(outcome=Outcome.FAILED, why="it closed its output and did not end")
    if summary is None or code not in _GOOD:
        return Ended(outcome=Outcome.FAILED, why=f"it ended with status {code} and said: {said or 'nothing'}")
    return Ended(outcome=Outcome.DONE, summary=summary)


class _Output:
    """A process's two streams, read without ever waiting longer than asked."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._out, self._err = process.stdout, process.stderr
        self._rest, self._said = b"", b""
        self._selector = selectors.DefaultSelector()
        for stream in (self._out, self._err):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream, selectors.EVENT_READ)

    @property
    def open(self) -> bool:
        """Whether there may be more."""
        return bool(self._selector.get_map())

    def lines(self, seconds: float) -> Iterator[bytes]:
        """Yield the whole lines that are there within so many seconds. ValueError when one has no end."""
        for key, _ in self._selector.select(seconds):
            chunk = os.read(key.fd, 1 << 16)
            if not chunk:
                self._selector.unregister(key.fileobj)
            elif key.fileobj is self._err:
                self._said = (self._said + chunk)[-_SAID_LIMIT:]
            else:
                *whole, self._rest = (self._rest + chunk).split(b"\n")
                if len(self._rest) > _LINE_LIMIT:
                    raise ValueError("a line without an end")
                yield from (line for line in whole if line)

    def said(self) -> str:
        """Return the end of what it complained of."""
        return self._said.decode("utf-8", "backslashreplace").strip()


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
