"""One host's supervisor: mounts, cable and systemd-nspawn, again after each reboot, until the host stops.

Run as `python -m lab.supervise FOLDER` in a mount namespace of its own: the overlay and the network namespace
are held by nothing but the host's processes, so that even kill -9 of all of them leaves no mount behind.
"""

import os
import select
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from lab import cgroup, inject, network
from lab.errors import LabError
from lab.lifecycle import write_nspawn_lock
from lab.overlay import mount_root
from lab.process import identify
from lab.pty_relay import PtyRelay
from lab.records import HostRecord, Run, read_record, write_run
from lab.seed import seed

REBOOT = 133  # systemd-nspawn's status after a reboot inside when it was started with --keep-unit


def main(folder: Path) -> int:
    """Run the host described in `folder` until it stops; return nspawn's last status."""
    record = read_record(folder)
    this = identify(os.getpid())
    if record is None or this is None:
        raise LabError(f"{folder} describes no host")
    run = Run(supervisor=this)
    write_run(folder, run)
    try:
        cgroup.enter(record.cgroup)
        _prepare(record)
        status = _run(record, run)
    except (LabError, OSError) as error:
        write_run(folder, replace(run, error=str(error)))
        raise
    return status


def _prepare(record: HostRecord) -> None:
    folder = record.folder
    fresh = not (folder / "seeded").exists()
    for name in ("upper", "work", "root"):
        (folder / name).mkdir(exist_ok=True, mode=0o755)
        (folder / name).chmod(0o755)  # the merged root has the upper folder's mode, whatever the umask
    mount_root(record)
    write_nspawn_lock(folder)
    if fresh:
        seed(folder / "root", record)
        inject.put_in(folder, folder / "root")
        (folder / "seeded").touch()
    namespace = folder / "netns"
    network.make_namespace(namespace)
    network.attach(
        record.link,
        namespace,
        address=record.address,
        prefix_length=record.prefix_length,
        alias=f"{cgroup.TOP}/{record.cgroup}",
    )


def _run(record: HostRecord, run: Run) -> int:
    stop = _StopSignal()
    relay = PtyRelay(record.folder) if record.options.console else None
    status = REBOOT
    while status == REBOOT and not stop.asked:
        status, run = _boot(record, run, stop, relay)
    if relay is not None:
        relay.close()
    write_run(record.folder, replace(run, nspawn=None, ended=status))
    return status


def _boot(record: HostRecord, run: Run, stop: "_StopSignal", relay: PtyRelay | None) -> tuple[int, Run]:
    terminal = subprocess.DEVNULL if relay is None else relay.terminal
    nspawn = subprocess.Popen(
        _nspawn(record, "interactive" if relay else "read-only"),
        env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        stdin=terminal,
        stdout=None if relay is None else relay.terminal,
        stderr=None if relay is None else relay.terminal,
    )
    run = replace(run, nspawn=identify(nspawn.pid), boots=run.boots + 1)
    write_run(record.folder, run)
    ended = os.pidfd_open(nspawn.pid)
    told = False
    try:
        while not select.select([ended], [], [], 0)[0]:
            if stop.asked and not told:
                nspawn.send_signal(signal.SIGTERM)  # an orderly shutdown of the host
                told = True
            waited: list[int | socket.socket] = [
                ended,
                stop.descriptor,
                *(relay.descriptors() if relay else []),
            ]
            ready = select.select(waited, [], [])[0]
            stop.drain(ready)
            if relay is not None:
                relay.serve(ready)
    finally:
        os.close(ended)
    return nspawn.wait(), run


def _nspawn(record: HostRecord, console: str) -> list[str]:
    options = [] if record.options.state_size is None else [_small_state(record.options.state_size)]
    return [
        "systemd-nspawn",
        "--quiet",
        "-b",
        f"--directory={record.folder / 'root'}",
        f"--machine={record.name}",
        f"--uuid={record.machine_id}",
        f"--network-namespace-path={record.folder / 'netns'}",
        "--register=no",  # there may be no systemd here to register with
        "--keep-unit",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        f"--console={console}",
        "--system-call-filter=fanotify_init fanotify_mark open_by_handle_at",
        *options,
    ]


def _small_state(size: str) -> str:
    return f"--tmpfs=/var/lib/hostseal:size={size},mode=0700"


class _StopSignal:
    """TERM or INT, seen by select(2)."""

    def __init__(self) -> None:
        self.asked = False
        self.descriptor, self._write = socket.socketpair()
        self.descriptor.setblocking(False)
        self._write.setblocking(False)
        signal.set_wakeup_fd(self._write.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True

    def drain(self, ready: list[int | socket.socket]) -> None:
        if self.descriptor in ready:
            self.descriptor.recv(64)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
