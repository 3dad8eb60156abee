"""Reads from sshd's lines (LogLevel VERBOSE) which certificates it refused, and why. Pure.

Only lines of root's own sshd count. What was offered stands in them as the client sent it; sshd has escaped what does not
print. sshd says the cause first and then, for the same process, what failed.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from hostseal.core.sshd_lines import SSHD_NAMES, SSHD_PROGRAMS

CONNECTIONS_KEPT = 512


class Why(StrEnum):
    """Why a certificate was refused. All but the last are sshd's reasons, read from its lines."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    FOREIGN = "foreign"
    UNKNOWN_AUTHORITY = "unknown_authority"
    REVOKED = "revoked"
    UNCHECKED = "unchecked"
    WRONG_SOURCE = "wrong_source"
    WRONG_OPTIONS = "wrong_options"
    UNPROVEN = "unproven"
    REPLAYED = "replayed"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One refused certificate; `serial` and authority are None where sshd's line was cut off before them."""

    user: str
    source: str
    why: Why
    key_id: str
    serial: int | None
    fingerprint: str | None
    ca_fingerprint: str | None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that sshd would take, once the client proves to have its private key."""

    key_id: str
    serial: int
    ca_fingerprint: str
    user: str = ""
    source: str = ""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of sshd has said so far."""

    pid: int
    cause: Why | None = None
    offer: Offer | None = None


class Reader(msgspec.Struct, frozen=True):
    """The connections that are not decided yet, the latest last."""

    connections: tuple[Connection, ...] = ()


_FINGERPRINT = r"SHA256:[A-Za-z0-9+/]{43}"
_CAUSES = tuple(
    (re.compile(rf"\A(?:error: )?{pattern}", re.DOTALL), why)
    for pattern, why in (
        (r"Certificate invalid: expired\Z", Why.EXPIRED),
        (r"Certificate invalid: not yet valid\Z", Why.NOT_YET_VALID),
        (r"Certificate does not contain an authorized principal\Z", Why.FOREIGN),
        (r"Certificate invalid: name is not a listed principal\Z", Why.FOREIGN),
        (r"Certificate lacks principal list\Z", Why.FOREIGN),
        (r"Authentication key .* revoked by file ", Why.REVOKED),
        (r"Error checking authentication key .* in revoked keys file ", Why.UNCHECKED),
        (r"cert: Authentication tried for .* not from a permitted source address", Why.WRONG_SOURCE),
        (r"Certificate critical option .* is not supported\Z", Why.WRONG_OPTIONS),
        (r"(?:Invalid certificate options|Refused by certificate options)\Z", Why.WRONG_OPTIONS),
    )
)
_FAILED = re.compile(
    rf"\AFailed publickey for (?:invalid user )?(?P<user>.+?) from (?P<source>\S+) port \d+ ssh2: "
    rf"(?P<kind>\S+) (?P<key>{_FINGERPRINT})(?: ID (?P<rest>.*))?\Z",
    re.DOTALL,
)
_CERTIFIED = re.compile(
    rf"\A(?P<id>.*) \(serial (?P<serial>\d{{1,20}})\) CA \S+ (?P<ca>{_FINGERPRINT})\Z", re.DOTALL
)
_OFFERED = re.compile(
    rf'\AAccepted certificate ID "(?P<id>.*)" \(serial (?P<serial>\d{{1,20}})\) signed by (?:CA )?\S+(?: CA)? '
    rf"(?P<ca>{_FINGERPRINT})(?: |\Z)",
    re.DOTALL,
)
_POSTPONED = re.compile(
    r"\APostponed publickey for (?P<user>.+?) from (?P<source>\S+) port \d+ ssh2", re.DOTALL
)
_PROVEN = re.compile(rf"\AAccepted publickey for .* ID .* \(serial \d+\) CA \S+ {_FINGERPRINT}\Z", re.DOTALL)
_OVER = re.compile(
    r"\A(?:Connection from |Connection closed by |Connection reset by |Disconnected from |Disconnecting |"
    r"Accepted (?!certificate |key )|(?:fatal: )?Timeout before authentication)"
)
_TIMED_OUT = re.compile(r"\ATimeout before authentication for .*, pid = (\d{1,10})\Z")


def read(reader: Reader, entry: Mapping[str, Any]) -> tuple[Reader, Refusal | None]:
    """Return the reader after `entry` (journal fields, decoded) and the refusal that is now certain, if any."""
    message, pid = entry.get("MESSAGE"), entry.get("_PID")
    if entry.get("_COMM") not in SSHD_NAMES or not isinstance(message, str) or not isinstance(pid, int):
        return reader, None
    if entry.get("_UID") != 0 or entry.get("_EXE") not in SSHD_PROGRAMS:
        return reader, None
    if timed_out := _TIMED_OUT.match(message):
        pid = int(timed_out[1])
    before = next((one for one in reader.connections if one.pid == pid), Connection(pid=pid))
    after, refusal = _step(before, message)
    if after == before:
        return reader, refusal
    others = tuple(one for one in reader.connections if one.pid != pid)
    undecided = after.cause is not None or after.offer is not None
    return Reader((*others, after)[-CONNECTIONS_KEPT:] if undecided else others), refusal


def _step(known: Connection, message: str) -> tuple[Connection, Refusal | None]:
    nothing = Connection(pid=known.pid)
    for pattern, why in _CAUSES:
        if pattern.match(message):
            # The first cause is the one that others follow from.
            return msgspec.structs.replace(known, cause=known.cause or why), None
    if failed := _FAILED.match(message):
        if failed["rest"] is None:  # a plain key
            return msgspec.structs.replace(known, cause=None), None
        return nothing, _refused(known, failed)
    if _OVER.match(message):
        return nothing, None if _PROVEN.match(message) else _unproven(known.offer)
    return _offered(known, message), None


def _offered(known: Connection, message: str) -> Connection:
    """Return the connection after a line that may say that a certificate would do, or for whom."""
    offer = known.offer
    if offered := _OFFERED.match(message):
        offer = Offer(key_id=offered["id"], serial=int(offered["serial"]), ca_fingerprint=offered["ca"])
        return Connection(pid=known.pid, offer=offer)
    if offer is not None and (postponed := _POSTPONED.match(message)):
        offer = msgspec.structs.replace(offer, user=postponed["user"], source=postponed["source"])
        return Connection(pid=known.pid, offer=offer)
    return known


def _refused(known: Connection, failed: re.Match[str]) -> Refusal:
    certified = _CERTIFIED.match(failed["rest"])
    why = known.cause or (Why.UNPROVEN if known.offer else Why.UNKNOWN_AUTHORITY)
    return Refusal(
        user=failed["user"],
        source=failed["source"],
        why=why,
        key_id=certified["id"] if certified else failed["rest"],
        serial=int(certified["serial"]) if certified else None,
        fingerprint=failed["key"],
        ca_fingerprint=certified["ca"] if certified else None,
    )


def _unproven(offer: Offer | None) -> Refusal | None:
    if offer is None or not offer.user:
        return None
    return Refusal(
        user=offer.user,
        source=offer.source,
        why=Why.UNPROVEN,
        key_id=offer.key_id,
        serial=offer.serial,
        fingerprint=None,
        ca_fingerprint=offer.ca_fingerprint,
    )
