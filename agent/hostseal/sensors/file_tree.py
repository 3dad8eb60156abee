"""Walks a watched tree without following links; what it cannot read it says."""

import os
from collections.abc import Callable, Iterator

from hostseal.sensors.file_scope import Position, Scope


def walk(top: bytes, scope: Scope, unread: Callable[[bytes, OSError], None]) -> Iterator[tuple[bytes, bool]]:
    """Yield (path, is a directory) for `top` and all that is below it and watched, or on the way to it.

    A directory comes before what is in it, and is listed only when the next one is asked for.
    """
    yield top, True
    stack = [top]
    while stack:
        directory = stack.pop()
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    is_directory = entry.is_dir(follow_symlinks=False)
                    if scope.position(entry.path) is Position.OUTSIDE or scope.excludes(entry.path):
                        continue
                    yield entry.path, is_directory
                    if is_directory:
                        stack.append(entry.path)
        except FileNotFoundError:
            continue
        except OSError as error:
            unread(directory, error)
