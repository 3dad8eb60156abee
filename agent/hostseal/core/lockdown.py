"""The lockdown level of SSH on a host: open, automation_only, closed. Pure; it only rises, until a release."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from hostseal.core.decision import Action, Decision, LockdownTerms
from hostseal.core.event import Event, timestamp
from hostseal.errors import LockdownError

DROP_IN = "/etc/ssh/sshd_config.d/05-hostseal-lockdown.conf"
AUTHORITY = "/etc/ssh/hostseal_break_glass.pub"
# What sshd says where it asks break-glass's program (agent/dist/sshd_config.d): without that no certificate lets anybody in.
_WAY_IN = "authorizedprincipalscommand /opt/hostseal/libexec/principals %u %t %k"
RELEASES_KEPT = 50
REASONS_KEPT = 100
# What useradd(8) and adduser(8) make, and nothing that means more in sshd's patterns (* ? ! , and blanks) or in `sshd -C`.
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\Z")
_PERSON = "hostseal-somebody"
_NO_AUTHORITY = "/dev/null"


class Level(StrEnum):
    """How far SSH is locked down, in rising order."""

    OPEN = "open"
    AUTOMATION_ONLY = "automation_only"
    CLOSED = "closed"

    @property
    def rank(self) -> int:
        """Return the level's place in the order: 0, 1, 2."""
        return list(Level).index(self)


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A lockdown that was released, by whom and why."""

    incident: str
    person: str
    reason: str
    nonce: str
    time: str


class Lockdown(msgspec.Struct, frozen=True, kw_only=True):
    """The level in force, with what it rests on. `seq` is that of the last event that moved it.

    `incident` and `since` are those of the first rise: a release names that incident, whatever came on top of it.
    """

    level: Level = Level.OPEN
    incident: str | None = None
    since: str | None = None
    reasons: tuple[str, ...] = ()
    terms: LockdownTerms = LockdownTerms()
    releases: tuple[Release, ...] = ()
    seq: int = 0


_LEVELS = {
    Action.LOCKDOWN_AUTOMATION_ONLY: Level.AUTOMATION_ONLY,
    Action.LOCKDOWN_CLOSED: Level.CLOSED,
}


def asked(decision: Decision) -> Level:
    """Return the level a decision asks for, open when it asks for none."""
    return max(
        (_LEVELS[a] for a in decision.actions if a in _LEVELS), key=lambda one: one.rank, default=Level.OPEN
    )


def action_for(level: Level) -> Action | None:
    """Return the action that puts a level in force, None for open: that takes a release."""
    return next((action for action, made in _LEVELS.items() if made is level), None)


def raised(lockdown: Lockdown, event: Event, decision: Decision, incident: str, now: datetime) -> Lockdown:
    """Return the lockdown after a decision. It never falls, and an event that was there before a release changes nothing."""
    level = asked(decision)
    if level.rank <= lockdown.level.rank or event.seq <= lockdown.seq:
        return lockdown
    new = tuple(finding.message for finding in decision.counted if finding.message not in lockdown.reasons)
    return replace(
        lockdown,
        level=level,
        incident=lockdown.incident or incident,
        since=lockdown.since or timestamp(now),
        reasons=(*lockdown.reasons, *new)[:REASONS_KEPT],
        terms=decision.lockdown or lockdown.terms,
        seq=event.seq,
    )


def released(lockdown: Lockdown, event: Event) -> Lockdown:
    """Return the lockdown after the event `lockdown.released`; one about another incident changes nothing."""
    if lockdown.level is Level.OPEN or lockdown.incident != event.data.get("incident"):
        return lockdown
    used = Release(
        incident=event.data["incident"],
        person=event.data["person"],
        reason=event.data["reason"],
        nonce=event.data["nonce"],
        time=event.time,
    )
    return Lockdown(releases=(*lockdown.releases, used)[-RELEASES_KEPT:], seq=event.seq)


def drop_in(level: Level, terms: LockdownTerms) -> bytes | None:
    """Return the drop-in that makes sshd keep a level, None for open (sshd_config(5): Match, first value wins).

    Raises LockdownError when an account's name could mean more than that name to sshd.
    """
    if level is Level.OPEN:
        return None
    accounts = _checked(terms.accounts) if level is Level.AUTOMATION_ONLY else ()
    # Not `Match all`: with AuthorizedKeysCommand in it, sshd loses a later AuthorizedPrincipalsCommand (OpenSSH 9.2).
    who = f"Match User {','.join([*(f'!{name}' for name in accounts), '*'])}"
    lines = [
        f"# Hostseal: SSH is locked down, level {level}. A signed release takes this away; the agent puts it back till then.",
        who,
        *(f"    {key} {value}" for key, value in _settings(terms).items()),
    ]
    return ("\n".join(lines) + "\n").encode()


def probes(level: Level, terms: LockdownTerms) -> list[dict[str, Any]]:
    """Return what `sshd -T -C user=NAME` must say for whom: {"user", "says": [lines]}, lines in lower-case keys."""
    # An sshd without GSSAPI says nothing of it; AuthenticationMethods rules it out all the same.
    shut = [
        f"{key.lower()} {value}" for key, value in _settings(terms).items() if key != "GSSAPIAuthentication"
    ]
    says = shut if terms.without_break_glass else [*shut, _WAY_IN]
    accounts = _checked(terms.accounts)
    kept = accounts if level is Level.AUTOMATION_ONLY else ()
    refused = ("root", _PERSON, *(() if level is Level.AUTOMATION_ONLY else accounts))
    return [{"user": user, "says": says} for user in dict.fromkeys(refused) if user not in kept]


def is_automation(session: dict[str, Any], terms: LockdownTerms) -> bool:
    """Return whether a session's login is automation's; one whose key is not known counts by its account (law 7)."""
    if session.get("user") not in terms.accounts:
        return False
    fingerprint = (session.get("key") or {}).get("fingerprint")
    return not terms.key_fingerprints or fingerprint is None or fingerprint in terms.key_fingerprints


def is_break_glass(session: dict[str, Any], terms: LockdownTerms) -> bool:
    """Return whether a session was opened with a certificate of a break-glass authority, as PAM says (so it was proven)."""
    certificate = (session.get("key") or {}).get("certificate") or {}
    return certificate.get("ca_fingerprint") in terms.authorities


def _settings(terms: LockdownTerms) -> dict[str, str]:
    # AuthenticationMethods is the master switch: no password, keyboard-interactive, host-based or GSSAPI way counts.
    # The rest says the same once more, and takes away what publickey itself could be satisfied by. Within a Match, `none` is
    # a file's name to TrustedUserCAKeys and AuthorizedPrincipalsFile (OpenSSH 9.2), so neither is given it here.
    return {
        "AuthenticationMethods": "publickey",
        "PubkeyAuthentication": "yes",
        "AuthorizedKeysFile": "none",
        "AuthorizedKeysCommand": "none",
        "TrustedUserCAKeys": _NO_AUTHORITY if terms.without_break_glass else AUTHORITY,
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "HostbasedAuthentication": "no",
        "GSSAPIAuthentication": "no",
    }


def _checked(accounts: tuple[str, ...]) -> tuple[str, ...]:
    for name in accounts:
        if not _ACCOUNT.match(name):
            raise LockdownError(
                f"{name!r} is no account's name that can be written into sshd's settings",
                hint="site data: automation.accounts",
            )
    return accounts
