"""Who this host is: read from the kernel and systemd's files, never from what the policy will decide on."""

import socket
import uuid
from pathlib import Path

from hostseal.core.event import Host


def read(name: str) -> Host:
    """Return the host's identity; `name` overrides the machine's host name. OSError when the kernel has no boot id."""
    boot = uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
    machine = _first_line(Path("/etc/machine-id")) or uuid.uuid5(uuid.NAMESPACE_DNS, socket.gethostname()).hex
    return Host(
        name=name or socket.gethostname(),
        machine_id=machine,
        boot_id=boot.hex,
        image=_first_line(Path("/etc/hostseal-image")) or None,
    )


def _first_line(path: Path) -> str:
    try:
        return path.read_text("utf-8").split("\n", 1)[0].strip()
    except FileNotFoundError:
        return ""
