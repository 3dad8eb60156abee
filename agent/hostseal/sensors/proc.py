"""Who a process is, read from /proc: proc(5). What may not be read is None; what has ended is not there."""

import os
import time
from functools import lru_cache

from msgspec.structs import replace

from hostseal.core.attribution import ProcessFacts, Proof, Transient, with_role
from hostseal.core.roles import Process, matters
from hostseal.core.text import faithful
from hostseal.core.units import Unit, unit_of

LINE = 24
"""Processes that are looked at above one; a package manager's script is seldom more than eight below it."""

ARGV_BYTES = 4096
_UNSET = 0xFFFF_FFFF
_DELETED = " (deleted)"
_INIT_SCOPE = "/init.scope"
_MADE_AT_RUN_TIME: tuple[str, ...] = ("/run/systemd/transient", "/run/systemd/system")
_SPOOLERS = frozenset({"cron.service", "crond.service", "atd.service", "anacron.service"})
_TICKS = os.sysconf("SC_CLK_TCK")
_unit = lru_cache(256)(unit_of)


class Proc:
    """The /proc of this machine."""

    def __init__(self) -> None:
        own = cgroup_in(read("/proc/1/cgroup") or "") or ""
        self._above = own.removesuffix(_INIT_SCOPE) if own.endswith(_INIT_SCOPE) else ""
        # In a container PID 1 may have a login uid already: that of whoever started the container.
        self._login = _login(1)

    def facts(self, pid: int) -> ProcessFacts | None:
        """Return what /proc says of a process now, None when it is gone."""
        status = read(f"/proc/{pid}/status")
        if status is None:
            return None
        cgroup = self._cgroup(pid)
        unit = _unit(cgroup)
        audit_session, login_uid = login = _login(pid)
        facts = ProcessFacts(
            pid=pid,
            proof=Proof.ALIVE,
            exe=link(f"/proc/{pid}/exe"),
            uid=_effective_uid(status),
            audit_session=audit_session,
            login_uid=login_uid,
            cgroup=cgroup,
            unit=unit,
            start=_start(pid),
        )
        if unit is None or not (unit.is_system_service or unit.user is not None or unit.name == "init.scope"):
            return facts
        line, began = self._line(facts, status, unit)
        transient = _at_run_time(unit)
        proves = login == self._login and transient is None
        return with_role(replace(facts, line=line, began=began, proves=proves, transient=transient))

    def _line(self, facts: ProcessFacts, status: str, unit: Unit) -> tuple[tuple[Process, ...], float | None]:
        """Return the process and those above it in its unit, and when the last of them started.

        A parent is believed only if the process below still has it after it was read: else its pid may be another's.
        """
        of_a_job = unit.name in _SPOOLERS
        line = [_process(facts.pid, facts.exe, facts.uid, of_a_job=of_a_job)]
        below, parent = facts.pid, _parent(status)
        while parent is not None and parent > 1 and len(line) < LINE and self._cgroup(parent) == facts.cgroup:
            above = read(f"/proc/{parent}/status")
            if above is None:
                break
            read_now = _process(parent, link(f"/proc/{parent}/exe"), _effective_uid(above), of_a_job=of_a_job)
            if _parent(read(f"/proc/{below}/status") or "") != parent:
                break
            line.append(read_now)
            below, parent = parent, _parent(above)
        return tuple(line), _start(below)

    def _cgroup(self, pid: int) -> str | None:
        cgroup = cgroup_in(read(f"/proc/{pid}/cgroup") or "")
        if cgroup is not None and self._above:
            return cgroup[len(self._above) :] if cgroup.startswith(self._above + "/") else None
        return cgroup


def read(path: str) -> str | None:
    """Return the first 16 KiB of a file of /proc, None where it cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return faithful(os.read(file, 16384))
    except OSError:
        return None
    finally:
        os.close(file)


def link(path: str) -> str | None:
    """Return what a link of /proc says, None where it may not be read."""
    try:
        return faithful(os.readlink(os.fsencode(path)))
    except OSError:
        return None


def _process(pid: int, exe: str | None, uid: int | None, *, of_a_job: bool) -> Process:
    genuine = matters(exe) and _genuine(pid, exe or "")
    if not of_a_job:
        return Process(pid=pid, exe=exe, uid=uid, genuine=genuine)
    words = (read(f"/proc/{pid}/cmdline") or "")[:ARGV_BYTES].removesuffix("\0").split("\0")
    return Process(
        pid=pid, exe=exe, uid=uid, genuine=genuine, argv=tuple(words), stdin=link(f"/proc/{pid}/fd/0")
    )


def _genuine(pid: int, exe: str) -> bool:
    """Tell whether a process runs the very file that is at that path here: in a mount namespace of its own another may be."""
    try:
        runs, here = os.stat(f"/proc/{pid}/exe"), os.stat(exe)
    except OSError:
        return False
    return (runs.st_dev, runs.st_ino) == (here.st_dev, here.st_ino)


def _at_run_time(unit: Unit) -> Transient | None:
    """Return the unit's file if it was made at run time, by whoever asked for it: it is in no image, and under no seal."""
    folders, name = (_MADE_AT_RUN_TIME, unit.name)
    if unit.user is not None:
        folders, name = (f"/run/user/{unit.user}/systemd/transient",), unit.below or ""
    for folder in folders:
        path = f"{folder}/{name}"
        try:
            made = os.lstat(path).st_ctime
        except OSError:
            continue
        return Transient(path, time.clock_gettime(time.CLOCK_BOOTTIME) - (time.time() - made))
    return None


def _login(pid: int) -> tuple[int | None, int | None]:
    return _audit_id(read(f"/proc/{pid}/sessionid")), _audit_id(read(f"/proc/{pid}/loginuid"))


def _effective_uid(status: str) -> int | None:
    found = status.find("\nUid:")
    return int(status[found + 5 :].split(maxsplit=2)[1]) if found >= 0 else None


def _parent(status: str) -> int | None:
    found = status.find("\nPPid:")
    return int(status[found + 6 :].split(maxsplit=1)[0]) if found >= 0 else None


def _start(pid: int) -> float | None:
    """Return when a process started, in seconds since boot (proc_pid_stat(5), field 22)."""
    fields = (read(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    return int(fields[19]) / _TICKS if len(fields) > 19 else None  # noqa: PLR2004


def _audit_id(text: str | None) -> int | None:
    value = int(text) if text and text.strip().isdigit() else _UNSET
    return None if value == _UNSET else value


def cgroup_in(text: str) -> str | None:
    """Return the unified hierarchy's cgroup, else systemd's own one of cgroup v1, from /proc/PID/cgroup.

    Of a process that has ended, in a unit that has ended with it, the kernel says that the cgroup was deleted
    (cgroups(7)): it is the unit's nevertheless.
    """
    lines = [line.split(":", 2) for line in text.splitlines()]
    named = {line[1]: line[2] for line in lines if len(line) == 3}  # noqa: PLR2004 - id:controllers:path
    found = named.get("") or named.get("name=systemd")
    return None if found is None else found.removesuffix(_DELETED)
