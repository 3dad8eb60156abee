"""Starting a host's supervisor, waiting for the host to be up, stopping it, and removing what is left of it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Container
from pathlib import Path

from lab import cgroup, keys, network, ssh
from lab.errors import LabError
from lab.process import Process, call, first_child
from lab.records import HostRecord, Run, read_run, remove_tree
from lab.waiting import wait_until

STOP_SECONDS = 40.0
NSPAWN_STATE = Path("/run/systemd/nspawn")


def start(record: HostRecord) -> None:
    """Start a host's supervisor, detached from the caller; return once it has said that it runs."""
    folder = record.folder
    (folder / "state.json").unlink(missing_ok=True)
    keys.ensure_host_key(record)
    package = Path(__file__).parent.parent
    with (folder / "boot.log").open("ab") as log:
        subprocess.run(
            [
                *("setsid", "--fork", "unshare", "--mount", "--propagation", "slave"),
                *(sys.executable, "-m", "lab.supervise", str(folder)),
            ],
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(package), "LANG": "C.UTF-8"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
        )
    wait_until(lambda: read_run(folder) is not None, seconds=20, what=f"the supervisor of {record.name}")


def is_running(record: HostRecord) -> bool:
    """Return whether the host's supervisor and its nspawn both live."""
    run = read_run(record.folder)
    return run is not None and run.supervisor.alive() and run.nspawn is not None and run.nspawn.alive()


def wait_ready(
    record: HostRecord, *, seconds: float, boot: int = 1, accept: Container[str] = ("running",)
) -> None:
    """Wait until boot number `boot` or a later one has ended in a state that is accepted, asked over ssh."""
    deadline = time.monotonic() + seconds
    state = "nothing"
    while time.monotonic() < deadline:
        run = _living_run(record)
        if run.boots >= boot and _sshd_answers(record.address):
            state = _system_state(record, max(1.0, deadline - time.monotonic()))
            if state in accept:
                return
            if state in {"degraded", "maintenance"}:
                failed = _over_ssh(record, "systemctl --failed --no-legend --plain", 10).stdout
                raise LabError(f"{record.name} came up {state}:\n{failed}")
        else:
            time.sleep(0.05)
    raise LabError(f"{record.name} was not up after {seconds:g} s: {state}", _log_tail(record))


def leader(record: HostRecord) -> int:
    """Return the number of the host's PID 1 as the machine sees it; raise LabError if the host is down."""
    run = read_run(record.folder)
    pid = None if run is None or run.nspawn is None else first_child(run.nspawn.pid)
    if pid is None:
        raise LabError(f"{record.name} is not running")
    return pid


def stop(folder: Path, name: str, lab: str) -> None:
    """Stop a host in an orderly way, and by force what does not; its disk stays."""
    run = read_run(folder)
    if run is not None:
        _end(run.supervisor)
        if run.nspawn is not None:
            _end(run.nspawn)
    group = f"{lab}/{name}"
    cgroup.kill(group)
    cgroup.remove(group)


def remove(folder: Path, record: HostRecord | None) -> None:
    """Remove all that a host has on the machine, however its run ended."""
    lab = folder.parent.parent.name
    stop(folder, folder.name, lab)
    if record is not None:
        network.detach(record.link)
    for mount in mounts_below(folder):
        call(["umount", mount])
    for area in ("propagate", "unix-export"):
        remove_tree(NSPAWN_STATE / area / folder.name)
    lock = nspawn_lock(folder)
    if lock is not None:
        lock.unlink(missing_ok=True)
    remove_tree(folder)


def write_nspawn_lock(folder: Path) -> None:
    """Note the file by which nspawn locks the root that is mounted now: killed, it leaves the file behind."""
    root = (folder / "root").stat()
    (folder / "nspawn-lock").write_text(f"inode-{root.st_dev}:{root.st_ino}\n", encoding="ascii")


def nspawn_lock(folder: Path) -> Path | None:
    """Return the file by which nspawn locks a host's root, or None if the host never came so far."""
    try:
        name = (folder / "nspawn-lock").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    return NSPAWN_STATE / "locks" / name


def mounts_below(folder: Path) -> list[str]:
    """Return the mounts in this mount namespace below a folder, the latest first."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    points = [line.split(" ")[4] for line in lines]
    return [point for point in reversed(points) if Path(point).is_relative_to(folder)]


def _end(process: Process) -> None:
    process.send(signal.SIGTERM)
    try:
        wait_until(lambda: not process.alive(), seconds=STOP_SECONDS, what=f"process {process.pid}")
    except LabError:
        process.send(signal.SIGKILL)
        wait_until(lambda: not process.alive(), seconds=10, what=f"killed process {process.pid}")


def _living_run(record: HostRecord) -> Run:
    run = read_run(record.folder)
    if run is None or not run.supervisor.alive():
        why = "" if run is None or run.error is None else f": {run.error}"
        raise LabError(f"{record.name} stopped while it was awaited{why}", _log_tail(record))
    return run


def _sshd_answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _system_state(record: HostRecord, seconds: float) -> str:
    try:
        answer = _over_ssh(record, "systemctl is-system-running --wait", seconds)
    except LabError:
        return "no answer"
    return answer.stdout.strip() or answer.stderr.strip()


def _over_ssh(record: HostRecord, command: str, seconds: float) -> ssh.Completed:
    client = ssh.client(
        keys.AUTOMATION,
        record.address,
        identity=keys.user_key(record.lab, keys.AUTOMATION),
        known_hosts=keys.known_hosts(record.lab),
    )
    return ssh.finish([*client, command], given=None, timeout=seconds)


def _log_tail(record: HostRecord) -> str:
    log = record.folder / "boot.log"
    if not log.exists():
        return ""
    return f"{log} ends with:\n" + log.read_bytes()[-2000:].decode(errors="backslashreplace")
