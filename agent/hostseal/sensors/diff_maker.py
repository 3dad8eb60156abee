"""Asks the process that makes diffs (:mod:`hostseal.sensors.diff_child`), and ends it when it is late."""

import os
import select
import subprocess
import sys
import threading
import time
from typing import Self

import msgspec

from hostseal.core.text_diff import TextDiff
from hostseal.sensors.diff_child import LENGTH, Question

_COMMAND = (sys.executable, "-I", "-m", "hostseal.sensors.diff_child")
_ANSWER_LIMIT = 1 << 20
_CHUNK = 1 << 16
REST_SECONDS = 10.0
_DECODER: msgspec.msgpack.Decoder[TextDiff | None] = msgspec.msgpack.Decoder(TextDiff | None)


class LateError(Exception):
    """No diff could be made: the process was late, or ended."""


class DiffMaker:
    """One child at most, started when it is needed, ended a while after; one question at a time. Safe for threads."""

    def __init__(self, rest_seconds: float = REST_SECONDS) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._rest_seconds = rest_seconds
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def ask(self, question: Question, seconds: float) -> TextDiff | None:
        """Return the answer; LateError when there is none within that time, and then the process is gone."""
        with self._lock:
            self._resting(None)
            try:
                if self._child is None or self._child.poll() is not None:
                    self._end()
                    self._child = self._started()
                return self._exchange(self._child, question, time.monotonic() + seconds)
            except (OSError, ValueError, LateError) as error:
                # msgspec's errors are ValueErrors. Nothing of the question may be in what is said of them.
                self._end()
                raise LateError(type(error).__name__) from None
            finally:
                if self._child is not None:
                    self._resting(self._rest_seconds)

    def end(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._resting(None)
            self._end()

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        child = self._child
        return None if child is None else child.pid

    @staticmethod
    def _started() -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
        )
        for pipe in (child.stdin, child.stdout):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]
        return child

    @staticmethod
    def _exchange(child: subprocess.Popen[bytes], question: Question, deadline: float) -> TextDiff | None:
        if child.stdin is None or child.stdout is None:
            raise LateError
        body = msgspec.msgpack.encode(question)
        _write(child.stdin.fileno(), len(body).to_bytes(LENGTH, "big") + body, deadline)
        size = int.from_bytes(_read(child.stdout.fileno(), LENGTH, deadline), "big")
        if size > _ANSWER_LIMIT:
            raise LateError
        return _DECODER.decode(_read(child.stdout.fileno(), size, deadline))

    def _resting(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = threading.Timer(seconds, self.end)
            self._timer.daemon = True
            self._timer.start()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        child.wait()


def _write(pipe: int, data: bytes, deadline: float) -> None:
    view = memoryview(data)
    while view:
        _wait(pipe, deadline, writing=True)
        view = view[os.write(pipe, view[:_CHUNK]) :]


def _read(pipe: int, size: int, deadline: float) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        _wait(pipe, deadline, writing=False)
        chunk = os.read(pipe, size - len(parts))
        if not chunk:
            raise LateError
        parts += chunk
    return bytes(parts)


def _wait(pipe: int, deadline: float, *, writing: bool) -> None:
    left = deadline - time.monotonic()
    poll = select.poll()
    poll.register(pipe, select.POLLOUT if writing else select.POLLIN)
    if left <= 0 or not poll.poll(left * 1000):
        raise LateError
