"""Which file sensor works here, found out by trying it."""

import errno
import os
from collections.abc import Callable

from hostseal.config.files import Backend, FilesSettings
from hostseal.core.text import faithful
from hostseal.errors import ConfigError
from hostseal.ports import FileSensor
from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors import mounts
from hostseal.sensors.fanotify import FanotifySensor, open_group
from hostseal.sensors.file_scope import Scope
from hostseal.sensors.file_writer import Executed, Writers
from hostseal.sensors.inotify import InotifySensor

Factory = Callable[[], FileSensor]


def choose(settings: FilesSettings, executed: Executed | None = None) -> tuple[Factory, str]:
    """Return how to make the sensor, and a sentence that says which one and why.

    `executed` is told of executed programs, by the sensor that knows of them. Raises `ConfigError` when the setting asks for fanotify and this machine cannot give it.
    """
    scope = Scope(settings.watch, settings.exclude)
    if settings.backend == Backend.INOTIFY:
        return lambda: InotifySensor(
            scope
        ), "inotify: the setting files.backend asks for it; it cannot name writers"
    why_not = fanotify_refusal(scope)
    if why_not is None:
        return lambda: FanotifySensor(
            scope, writers=Writers(executed=executed)
        ), "fanotify: works on every watched filesystem, and names writers"
    if settings.backend == Backend.FANOTIFY:
        raise ConfigError(
            f"files.backend: fanotify does not work here: {why_not}", hint='"auto" or "inotify" would'
        )
    return lambda: InotifySensor(
        scope
    ), f"inotify, which cannot name writers, for fanotify does not work: {why_not}"


def fanotify_refusal(scope: Scope) -> str | None:
    """Return why fanotify cannot watch this scope, None when it can: a group, real marks and a handle are tried."""
    try:
        group, mask = open_group()
    except OSError as error:
        return f"fanotify_init: {error.strerror} (CAP_SYS_ADMIN, or a system call filter)"
    try:
        with mounts.MountTable() as table:
            watched = mounts.watched(table.read(), scope)
        for mount in watched:
            try:
                abi.mark_filesystem(group, mask, mount.point)
            except OSError as error:
                return f"{faithful(mount.point)} ({mount.type}): {error.strerror}"
        return _handle_refusal(watched[0].point if watched else b"/")
    finally:
        os.close(group)


def _handle_refusal(point: bytes) -> str | None:
    """Try a handle that exists nowhere: a kernel that resolves handles for us says so, one that does not refuses."""
    descriptor = os.open(point, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.close(abi.open_handle(descriptor, abi.key_of(0, 1, bytes(8)), os.O_PATH))
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES, errno.ENOSYS):
            return f"open_by_handle_at: {error.strerror} (CAP_DAC_READ_SEARCH, or a system call filter)"
    finally:
        os.close(descriptor)
    return None
