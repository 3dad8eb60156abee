"""`python -m hostseal.sensors.diff_child`: makes diffs without secrets, one for each question on standard input.

A process of its own, since the detectors' patterns may take as long as the text makes them, hold the interpreter while
they do, and need memory that the agent has not: its parent ends it when an answer is late. It reads no file and writes
none, leaves no core, and ends with its input, or when nothing was asked for a while.
"""

import contextlib
import os
import resource
import select
import signal
import sys
from typing import BinaryIO

import msgspec

from hostseal.core.redaction import redact
from hostseal.core.text_diff import Bounds, TextDiff, text_of, unified

IDLE_SECONDS = 20.0
NICE = 0
"""The agent's own is -5. Not less: an event waits for its diffs."""
MEMORY = 512 << 20
PROCESSOR_SECONDS = 2.0
"""For one answer, of this process alone: a busy host makes no diff late. What takes longer ends the process."""
LENGTH = 4


class Question(msgspec.Struct, frozen=True, array_like=True):
    """One path, what was there and what is: None where there was, or is, no file."""

    path: bytes
    before: bytes | None
    after: bytes | None
    mask: bool
    bounds: Bounds


def answer(question: Question) -> TextDiff | None:
    """Return the diff, None when a side is not text or nothing differs."""
    before = None if question.before is None else text_of(question.before)
    after = None if question.after is None else text_of(question.after)
    if (before is None) != (question.before is None) or (after is None) != (question.after is None):
        return None
    if question.mask:
        from hostseal.sensors.secret_detectors import detect

        before, after = redact(before, after, question.path, detect)
    return unified(before, after, question.bounds)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer until there is no more to read. A question and an answer is four bytes of length, then MessagePack."""
    decode = msgspec.msgpack.Decoder(Question).decode
    while select.select([source], [], [], IDLE_SECONDS)[0]:
        head = source.read(LENGTH)
        if len(head) < LENGTH:
            return
        question = decode(source.read(int.from_bytes(head, "big")))
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
        body = msgspec.msgpack.encode(answer(question))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sink.write(len(body).to_bytes(LENGTH, "big") + body)
        sink.flush()


def main() -> None:
    """Take no more than is due, then serve."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    for limit, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MEMORY)):
        resource.setrlimit(limit, (most, most))
    with os.fdopen(0, "rb", buffering=0, closefd=False) as source:
        serve(_Whole(source), sys.stdout.buffer)  # type: ignore[arg-type]


class _Whole:
    """A pipe whose `read` returns all that is asked for, and keeps nothing back that `select` would not see."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.fileno = source.fileno

    def read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size and (chunk := self._source.read(size - len(parts))):
            parts += chunk
        return bytes(parts)


if __name__ == "__main__":
    main()
