"""Looks for sealed files that a process has mapped so that it can change them: no record tells of such a write.

It is told when the last map goes, which may be never. So whoever keeps watch looks here now and then, and at the
content of what is found.
"""

import os
from collections.abc import Iterator

from hostseal.core.process_maps import writable_shared
from hostseal.sensors.file_scope import Scope


def writable_maps(scope: Scope) -> list[tuple[bytes, int]]:
    """Return path and pid of each watched file that a process has mapped shared and writable, in order.

    Reads /proc/PID/maps of every process, some 0.2 ms each; a process that is gone or may not be looked at
    (CAP_SYS_PTRACE) is passed over. Kernel threads have no maps.
    """
    return sorted(
        {(path, pid) for pid, text in _all_maps() for path in writable_shared(text) if _is(path, scope)}
    )


def _is(path: bytes, scope: Scope) -> bool:
    return scope.holds(path) and os.path.lexists(path)


def _all_maps() -> Iterator[tuple[int, bytes]]:
    with os.scandir("/proc") as entries:
        for entry in entries:
            if entry.name.isdigit():
                try:
                    with open(f"/proc/{entry.name}/maps", "rb") as file:
                        yield int(entry.name), file.read()
                except OSError:
                    continue
