"""The changes that the file benchmarks are made of: 70,000 operations on 17,500 files, 87,500 events.

`python -m bench.files_load ROOT [--rate N]`, a process of its own, whose figures it prints as JSON.

The files are there beforehand, in 175 directories. In each directory all are removed, then made and written, then their
modes are changed, then they are rewritten: four operations a file, five events (delete, create, close after write,
attributes, close after write), four pairs of path and kind. They are there afterwards too, other than they were sealed.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable

DIRECTORIES, FILES = 175, 100
ALL_FILES = DIRECTORIES * FILES
OPERATIONS = ALL_FILES * 4
EVENTS = ALL_FILES * 5
PAIRS = ALL_FILES * 4
KINDS = "cmad"
"""Created, modified, attributes, deleted."""

SEALED = b"as it was sealed\n" * 15
CHANGED = b"changed meanwhile" * 15
_STRIDE = 60


class Seen:
    """Which pairs of path and kind a consumer has seen; a byte a file, so that it costs the consumer no memory."""

    def __init__(self, root: str) -> None:
        self._from = len(f"{root}/etc/")
        self._files = bytearray(ALL_FILES)

    def add(self, path: str, kind: str) -> None:
        """Note one; a path that is no file of the load's is none."""
        directory, _, file = path[self._from :].partition("/")
        if file.isdigit():
            self._files[int(directory) * FILES + int(file)] |= 1 << KINDS.index(kind)

    @property
    def pairs(self) -> int:
        """How many different ones there were."""
        return sum(bits.bit_count() for bits in self._files)


def prepare(root: str) -> None:
    """Make the directories and the files, as they were sealed."""
    for directory in range(DIRECTORIES):
        os.makedirs(f"{root}/etc/{directory}", exist_ok=True)
        for file in range(FILES):
            path = f"{root}/etc/{directory}/{file}"
            write(path, SEALED)
            os.chmod(path, 0o644)


def write(path: str, content: bytes = CHANGED) -> None:
    """Write a small file, as most programs do: open, write, close."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(file, content)
    os.close(file)


def change(root: str, rate: float) -> None:
    """Make the changes, as fast as it goes (rate 0) or so many operations a second."""
    began, done = time.monotonic(), 0
    operations: tuple[Callable[[str], None], ...] = (
        os.unlink,
        write,
        lambda path: os.chmod(path, 0o600),
        write,
    )
    for directory in range(DIRECTORIES):
        paths = [f"{root}/etc/{directory}/{file}" for file in range(FILES)]
        for operation in operations:
            for path in paths:
                operation(path)
                done += 1
                if rate and done % _STRIDE == 0:
                    time.sleep(max(0.0, began + done / rate - time.monotonic()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root")
    parser.add_argument("--rate", type=float, default=0.0)
    arguments = parser.parse_args()
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    change(arguments.root, arguments.rate)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "user": after.ru_utime - before.ru_utime,
                "system": after.ru_stime - before.ru_stime,
            }
        )
    )


if __name__ == "__main__":
    main()
