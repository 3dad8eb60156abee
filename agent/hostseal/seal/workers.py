"""Does tasks in several processes, for threads do not pay here, and gives the answers in the tasks' order."""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, islice
from typing import IO

import msgspec

from hostseal.errors import SealError
from hostseal.seal.work import LENGTH_BYTES, Setup, Work

LOOK, CHECK = b"L", b"C"
_FEW_TASKS = 6
_AHEAD = 4


def processors() -> int:
    """Return how many processes may run at a time here."""
    return len(os.sched_getaffinity(0))


def answers(setup: Setup, does: bytes, tasks: Iterable[bytes], workers: int) -> Iterator[bytes]:
    """Yield the answer to each task, in their order; only a few tasks are taken ahead. SealError when a process dies.

    A few tasks are done here: for them no process is worth its start.
    """
    coming = iter(tasks)
    first = list(islice(coming, _FEW_TASKS))
    if workers <= 1 or len(first) < _FEW_TASKS:
        work = Work(setup)
        try:
            do = {LOOK: work.look, CHECK: work.check}[does]
            yield from map(do, chain(first, coming))
        finally:
            work.close()
    else:
        yield from _elsewhere(setup, does, chain(first, coming), workers)


def _elsewhere(setup: Setup, does: bytes, tasks: Iterable[bytes], workers: int) -> Iterator[bytes]:
    running: list[_Worker] = []
    mine = threading.local()

    def ask(task: bytes) -> bytes:
        if not hasattr(mine, "worker"):
            mine.worker = _Worker()
            running.append(mine.worker)
            mine.worker.send(msgspec.msgpack.encode(setup))
        answer: bytes = mine.worker.ask(does + task)
        return answer

    waiting: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(workers) as threads:
        try:
            for task in tasks:
                waiting.append(threads.submit(ask, task))
                if len(waiting) > workers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
            for worker in running:
                worker.end()
            threads.shutdown()
            for worker in running:  # one may have been started meanwhile
                worker.end()


class _Worker:
    """One process that does tasks."""

    def __init__(self) -> None:
        # -P: `-m` alone would look for modules in the current directory first.
        flags = ["-I"] if sys.flags.isolated else ["-P"]
        argv = [sys.executable, *flags, "-m", "hostseal.seal.work"]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, message: bytes) -> None:
        """Give a message; SealError when the process is gone."""
        pipe = self._process.stdin
        try:
            if pipe is not None:
                pipe.write(len(message).to_bytes(LENGTH_BYTES, "big") + message)
                pipe.flush()
        except BrokenPipeError as error:
            raise SealError(f"a worker process ended with status {self._process.wait()}") from error

    def ask(self, task: bytes) -> bytes:
        """Return the answer to a task; SealError when there is none."""
        self.send(task)
        source: IO[bytes] | None = self._process.stdout
        length = b"" if source is None else source.read(LENGTH_BYTES)
        wanted = int.from_bytes(length, "big")
        answer = b"" if source is None else source.read(wanted)
        if len(length) < LENGTH_BYTES or len(answer) < wanted:
            raise SealError(f"a worker process ended with status {self._process.wait()} before its work")
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()
