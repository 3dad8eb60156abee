"""Break-glass: who may log in where for how long and why, as an SSH certificate says it (docs/reference/break-glass.md)."""

import ipaddress
import re
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hostseal.core.event import from_timestamp
from hostseal.core.ssh_certificate import Certificate
from hostseal.errors import BreakGlassError

# A host's clock may be behind the operator's by this much. policies/hostseal/break_glass allows as much on top.
SKEW_SECONDS = 60
# All that a drill's certificate can do. policies/hostseal/break_glass knows a drill by it.
DRILL_COMMAND = "echo 'hostseal: break-glass works on this host'"
TICKET, REASON, PERSON, GRANT, BEGAN = (
    f"{name}@hostseal" for name in ("ticket", "reason", "person", "grant", "began")
)
SOURCE_ADDRESS, FORCE_COMMAND = "source-address", "force-command"

_LONGEST = 200
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_TICKET = re.compile(r"[A-Za-z0-9#][A-Za-z0-9._/#-]{0,63}")
_INSTANCE = re.compile(r"[0-9a-f][0-9a-f-]{7,63}")
_DURATION = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s)?", re.ASCII)

Serial = Annotated[int, Meta(ge=1)]


class SignerKind(StrEnum):
    """Where the authority's private key is."""

    FILE = "file"
    KEYGEN = "ssh-keygen"
    AGENT = "agent"
    PKCS11 = "pkcs11"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What was granted to whom, where and why. Its extensions are the same grant; `began` is when it first held."""

    id: str
    user: str
    host: str
    instance: str
    ticket: str
    reason: str
    person: str
    began: str
    source: str | None = None
    drill: bool = False

    def __post_init__(self) -> None:
        """Raise BreakGlassError, naming the part that cannot be used; nothing here can break out of a line."""
        _require(_NAME.fullmatch(self.user), "user", self.user, "letters, digits, '.', '_' and '-'")
        _require(_NAME.fullmatch(self.host), "host", self.host, "the host's name in the policy's data")
        _require(
            _INSTANCE.fullmatch(self.instance), "instance", self.instance, "as `hostseal status` shows it"
        )
        _require(_TICKET.fullmatch(self.ticket), "ticket", self.ticket, "at most 64 characters like INC-1234")
        _require(_line(self.reason), "reason", self.reason, f"one line of at most {_LONGEST} characters")
        _require(_NAME.fullmatch(self.person), "person", self.person, "letters, digits, '.', '_' and '-'")
        if self.source is not None:
            _network(self.source)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What one certificate is to say; times in seconds since 1970."""

    serial: Serial
    key_id: str
    principal: str
    valid_after: int
    valid_before: int
    critical_options: dict[str, str]
    extensions: dict[str, str]


def terms(grant: Grant, serial: int, now: int, seconds: int, allowed: tuple[str, ...]) -> Terms:
    """Return the terms of a certificate for the next `seconds`; `allowed` names OpenSSH's extensions (`permit-pty`).

    A drill may do nothing but run its command.
    """
    critical = {SOURCE_ADDRESS: grant.source} if grant.source else {}
    said = {
        TICKET: grant.ticket,
        REASON: grant.reason,
        PERSON: grant.person,
        GRANT: grant.id,
        BEGAN: grant.began,
    }
    return Terms(
        serial=serial,
        key_id=f"{grant.ticket} by {grant.person} for {grant.user} on {grant.host}: {grant.reason}",
        principal=f"{grant.user}@{grant.instance}",
        valid_after=now - SKEW_SECONDS,
        valid_before=now + seconds,
        critical_options={**critical, FORCE_COMMAND: DRILL_COMMAND} if grant.drill else critical,
        extensions=said if grant.drill else {**dict.fromkeys(allowed, ""), **said},
    )


def total_seconds(grant: Grant, now: int, seconds: int) -> int:
    """Return how long the grant will have held in all when a certificate for the next `seconds` ends."""
    return now + seconds - int(from_timestamp(grant.began).timestamp())


def differences(asked: Terms, made: Certificate, authority: str) -> tuple[str, ...]:
    """Return what a signer made otherwise than it was asked to; nothing when the certificate is as it should be."""
    pairs: dict[str, tuple[Any, Any]] = {
        "kind": (True, made.for_user),
        "serial": (asked.serial, made.serial),
        "key id": (asked.key_id, made.key_id),
        "principals": ((asked.principal,), made.principals),
        "begin": (asked.valid_after, made.valid_after),
        "end": (asked.valid_before, made.valid_before),
        "critical options": (asked.critical_options, made.critical_options),
        "extensions": (asked.extensions, made.extensions),
        "authority": (authority, made.ca_fingerprint),
    }
    return tuple(name for name, (wanted, found) in pairs.items() if wanted != found)


def seconds(text: str) -> int:
    """Return the seconds in `30m`, `1h`, `1h30m` or `90s`; BreakGlassError when it is none of these, or nothing."""
    found = _DURATION.fullmatch(text)
    hours, minutes, rest = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    if not (total := hours * 3600 + minutes * 60 + rest):
        raise BreakGlassError(f"for: {text!r} is not a time like 30m or 1h30m")
    return total


def _network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise BreakGlassError(f"from: {text!r} is not an address or network: {error}") from error


def _line(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= _LONGEST


def _require(holds: object, name: str, text: str, wanted: str) -> None:
    if not holds:
        raise BreakGlassError(f"{name}: {text[:100]!r} cannot be used", hint=wanted)
