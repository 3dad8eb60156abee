"""A host's first boot: its own keys, and its place in the fleet by the credential that the launcher gave it."""

import json
import socket
import subprocess
from datetime import datetime
from pathlib import Path

import msgspec

from hostseal import durable, keys
from hostseal.config.settings import LedgerSettings
from hostseal.core.enrolment import Place, verify
from hostseal.core.event import timestamp
from hostseal.enrolment.introduce import introduce
from hostseal.errors import EnrolmentError
from hostseal.seal import files

PROGRAM = Path("/usr/local/libexec/hostseal/host-identity")
INSTANCE = "instance.json"
INSTANCE_ID = "instance-id"
CREDENTIAL = "enrolment.json"
_PROGRAM_SECONDS = 60


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """What a host knows of its place in the fleet; /etc/hostseal/instance.json."""

    slot: str
    generation: int
    instance: str
    host: str
    image: str
    enrolled: str


def join(folder: Path, now: datetime, ledger: LedgerSettings, *, program: Path = PROGRAM) -> Instance:
    """Make the host's identity below `folder` (/etc/hostseal) and write down its place; EnrolmentError if it may not.

    The credential is believed with the image's enrolment.pub, and must be for this host's name and image. Where there is a
    ledger, it gets to know the host now (UplinkError when it cannot be asked). Instance.json comes last and the credential
    goes then: a boot that broke off in between does all of it again, or what is left of it.
    """
    if (folder / INSTANCE).exists():
        return _joined(folder)
    raw = _credential(folder)
    place = verify(raw, keys.public_key(folder / "enrolment.pub"), now).place
    _check(place, folder)
    _identity(folder / "opa", program)
    if ledger.url:
        introduce(raw, ledger)
    joined = Instance(
        slot=place.slot,
        generation=place.generation,
        instance=place.instance,
        host=place.host,
        image=place.image,
        enrolled=timestamp(now),
    )
    # A line by itself: what asks for it before a login is a shell script (agent/dist/libexec/principals).
    durable.write(folder / INSTANCE_ID, f"{place.instance}\n".encode(), mode=0o644)
    durable.write(
        folder / INSTANCE, msgspec.json.format(msgspec.json.encode(joined), indent=1) + b"\n", mode=0o644
    )
    return _joined(folder)


def _joined(folder: Path) -> Instance:
    (folder / CREDENTIAL).unlink(missing_ok=True)
    durable.sync_directory(folder)
    return msgspec.json.decode((folder / INSTANCE).read_bytes(), type=Instance)


def _credential(folder: Path) -> object:
    path = folder / CREDENTIAL
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise EnrolmentError(
            "this host was given no enrolment credential", hint=f"the launcher puts one into {path}"
        ) from error
    except ValueError as error:
        raise EnrolmentError(f"the credential is not JSON: {error}", hint=str(path)) from error


def _check(place: Place, folder: Path) -> None:
    name = socket.gethostname()
    if place.host != name:
        raise EnrolmentError(f"the credential is for host {place.host!r}, this is {name!r}")
    image = files.load(folder / "image.seal", keys.public_key(folder / "seal.pub")).image
    if place.image != image:
        raise EnrolmentError(f"the credential is for image {place.image}, this host is from {image}")


def _identity(opa: Path, program: Path) -> None:
    argv: list[str | Path] = ["/usr/bin/python3", "-ISE", program, "ensure", opa]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_PROGRAM_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise EnrolmentError(f"the host's keys were not made within {_PROGRAM_SECONDS} s") from error
    if done.returncode:
        raise EnrolmentError(
            f"the host's keys could not be made: {done.stderr.strip()[-500:]}", hint=str(program)
        )
