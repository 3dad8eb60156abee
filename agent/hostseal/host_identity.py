"""Who this host is: read from the kernel and the first boot's files, never from what the policy will decide on."""

import socket
import uuid
from pathlib import Path

import msgspec

from hostseal.core.event import Host

INSTANCE = Path("/etc/hostseal/instance.json")
# Read by agent/dist/libexec/principals too, in the same way.
INSTANCE_ID, MACHINE_ID = Path("/etc/hostseal/instance-id"), Path("/etc/machine-id")


class _Enrolled(msgspec.Struct, frozen=True):
    image: str


def read(name: str, instance: Path = INSTANCE) -> Host:
    """Return the host's identity; `name` overrides the machine's host name. OSError when the kernel has no boot id.

    The image is the one by which the host enrolled; a host that was not made from an image has none.
    """
    boot = uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
    machine = _first_line(MACHINE_ID) or uuid.uuid5(uuid.NAMESPACE_DNS, socket.gethostname()).hex
    return Host(
        name=name or socket.gethostname(), machine_id=machine, boot_id=boot.hex, image=_image(instance)
    )


def instance_id(enrolled: Path = INSTANCE_ID, machine: Path = MACHINE_ID) -> str:
    """Return what tells this host from its siblings, its predecessor and its successor: "" when nothing does.

    It is the UUID the host enrolled with; one that never enrolled, which the roles installed, goes by its machine-id.
    """
    return _first_line(enrolled) or _first_line(machine)


def _image(instance: Path) -> str | None:
    try:
        return msgspec.json.decode(instance.read_bytes(), type=_Enrolled).image
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _first_line(path: Path) -> str:
    try:
        return path.read_text("utf-8").split("\n", 1)[0].strip()
    except FileNotFoundError:
        return ""
