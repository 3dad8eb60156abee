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


def names_of(inode: int, device: int, scope: Scope) -> Iterator[bytes]:
    """Yield the watched names of a file by its inode. The listing's inode numbers spare nearly all calls of stat."""
    stack = [base for base in scope.bases() if os.path.isdir(base)]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if scope.position(entry.path) is not Position.OUTSIDE:
                            stack.append(entry.path)
                    elif entry.inode() == inode and scope.holds(entry.path) and _device(entry) == device:
                        yield entry.path
        except OSError:
            continue


def _device(entry: os.DirEntry[bytes]) -> int:
    return entry.stat(follow_symlinks=False).st_dev
