"""The file sensor that knows the writer: fanotify(7) on whole filesystems."""

import errno
import os
import select
import threading
import time
from collections.abc import Iterable

from hostseal.errors import SensorDiedError
from hostseal.ports import FileSink
from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors.fanotify_abi import Record
from hostseal.sensors.fanotify_changes import Changes
from hostseal.sensors.fanotify_noise import Noise
from hostseal.sensors.fanotify_places import Places
from hostseal.sensors.file_counts import CountingSink
from hostseal.sensors.file_pace import Pace
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.file_writer import Writers
from hostseal.sensors.mounts import MountTable

Form = tuple[int, int]
"""Flags of a group, and what it is to be told of."""

_ALWAYS = abi.CHANGES & ~(abi.MOVED | abi.RENAME) | abi.OPEN_EXEC
FORMS: tuple[Form, ...] = (
    (
        abi.REPORT_DFID_NAME | abi.REPORT_PIDFD | abi.REPORT_FID | abi.REPORT_TARGET_FID,  # from Linux 5.17
        _ALWAYS | abi.RENAME,
    ),
    (abi.REPORT_DFID_NAME | abi.REPORT_PIDFD, _ALWAYS | abi.MOVED),
    (abi.REPORT_DFID_NAME, _ALWAYS | abi.MOVED),
)
BATCH_BYTES = 32_768
"""At most some 350 records, each with a pidfd of its own: within the usual limit of 1,024 descriptors."""

_RECORD_BYTES = 4_096 + 512
"""More than the largest record takes: a read that leaves this much room has emptied the queue."""

WAIT_MS = 1_000


class FanotifySensor:
    """Watches every filesystem that holds a watched path; reads /proc in the thread that reads the events.

    The kernel's queue is bounded (fs.fanotify.max_queued_events): one without a bound never runs over, and takes
    memory without end instead. A queue that has run over is a loss, and what was lost can be looked for.
    """

    name = "fanotify"

    def __init__(
        self, scope: Scope, *, writers: Writers | None = None, forms: tuple[Form, ...] = FORMS
    ) -> None:
        self._scope = scope
        self._writers = writers or Writers()
        self._forms = forms
        self._counts: dict[str, int] = {}

    def run(self, sink: FileSink, stop: threading.Event) -> None:
        """Watch until `stop` is set. Raises `SensorDiedError` when the kernel refuses or the descriptor breaks."""
        try:
            group, mask = open_group(self._forms)
        except OSError as error:
            raise SensorDiedError(
                f"fanotify_init: {error.strerror}", hint="it needs CAP_SYS_ADMIN"
            ) from error
        try:
            self._watch(group, mask, CountingSink(sink), stop)
        except (OSError, abi.AbiError) as error:
            raise SensorDiedError(f"fanotify: {error}") from error
        finally:
            os.close(group)

    def counts(self) -> dict[str, int]:
        """Return what became of the kernel's records; see :class:`hostseal.ports.FileSensor`."""
        return self._counts

    def _watch(self, group: int, mask: int, sink: CountingSink, stop: threading.Event) -> None:
        places = Places(group, self._scope, mask)
        noise = Noise(group, places)
        changes = Changes(
            self._scope, self._writers, places, noise, sink, removed_are_known=bool(mask & abi.RENAME)
        )
        pace = Pace()
        poll = select.poll()
        poll.register(group, select.POLLIN)
        with MountTable() as table:
            poll.register(table, select.POLLPRI | select.POLLERR)
            places.refresh(table.read(), sink.lost)
            changes.begin()
            try:
                while not stop.is_set():
                    self._count(changes, sink)
                    ready = [descriptor for descriptor, _ in poll.poll(WAIT_MS)]
                    if table.fileno() in ready:
                        noise.heed()
                        changes.mounted()
                        places.refresh(table.read(), sink.lost)
                    taken, more, begun = (
                        _take(group, changes, sink) if group in ready else _settle(changes, sink)
                    )
                    if pause := pace.pause(taken, time.monotonic(), more=more, begun=begun):
                        stop.wait(pause)
            finally:
                changes.end()

    def _count(self, changes: Changes, sink: CountingSink) -> None:
        self._counts = {**changes.counts(), "handed_on": sink.handed_on, "lost": sink.losses}


def open_group(forms: tuple[Form, ...] = FORMS) -> tuple[int, int]:
    """Return a notification group with all this kernel can report, and what to be told of. Raises `OSError`."""
    refused: OSError | None = None
    for flags, mask in forms:
        try:
            return abi.init(abi.CLOEXEC | abi.NONBLOCK | flags), mask
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            refused = error
    raise refused or OSError(errno.EINVAL, "fanotify")


def read_batch(group: int) -> tuple[list[Record], bool]:
    """Return what is waiting, at most one buffer of it, and whether there may be more.

    Raises `AbiError`; the descriptors that came with the records before are closed then.
    """
    try:
        buffer = os.read(group, BATCH_BYTES)
    except BlockingIOError:
        return [], False
    try:
        return abi.records(buffer), len(buffer) > BATCH_BYTES - _RECORD_BYTES
    except abi.AbiError as error:
        _close(error.parsed)
        raise


def _take(group: int, changes: Changes, sink: CountingSink) -> tuple[int, bool, bool]:
    """Hand on what one read brings; return how many records that were, whether there may be more, and a program began."""
    records, more = read_batch(group)
    now = time.monotonic()
    try:
        sink.changed_many(changes.take(records, now) + changes.settled(now))
    finally:
        _close(records)
    return len(records), more, any(record.mask & abi.OPEN_EXEC for record in records)


def _settle(changes: Changes, sink: CountingSink) -> tuple[int, bool, bool]:
    sink.changed_many(changes.settled(time.monotonic()))
    return 0, False, False


def _close(records: Iterable[Record]) -> None:
    for record in records:
        if record.pidfd >= 0:
            os.close(record.pidfd)
