"""Grants: the policy is asked, the certificate made and checked, the record written, and only then is it handed out."""

import base64
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from hostseal.break_glass.book import Book, Issued
from hostseal.break_glass.signers import Signer
from hostseal.core.break_glass import Grant, Terms, differences, terms, total_seconds
from hostseal.core.event import timestamp
from hostseal.core.ssh_certificate import Certificate, fingerprint, read
from hostseal.errors import BreakGlassError, HostsealError
from hostseal.policy.answer import Answer

DECISION = "hostseal/break_glass/decision"

Asked = Literal["grant", "extend"]


class Engine(Protocol):
    """The policy."""

    def ask(self, entry_point: str, question: dict[str, Any]) -> Answer:
        """Return the decision; NoAnswerError when there is none."""


class RefusedGrantError(HostsealError):
    """The policy refuses the certificate; nothing was signed."""


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate (`TYPE BASE64`) and what the record says of it."""

    certificate: str
    issued: Issued


class Desk:
    """Makes certificates that the policy allows."""

    def __init__(self, engine: Engine, signer: Signer, book: Book, now: Callable[[], datetime]) -> None:
        self._engine, self._signer, self._book, self._now = engine, signer, book, now

    def issue(
        self, asked: Asked, grant: Grant, public_key: str, seconds: int, extensions: tuple[str, ...]
    ) -> Handed:
        """Return a certificate for `public_key` that holds for the next `seconds`, recorded.

        RefusedGrantError with the policy's sentences; NoAnswerError, BreakGlassError or OSError when it cannot be made.
        """
        now = self._now()
        began = int(now.timestamp())
        authority = fingerprint(base64.b64decode(self._signer.authority.split()[1]))
        question = {
            "asks": asked,
            "grant": msgspec.to_builtins(grant),
            "seconds": seconds,
            "total_seconds": total_seconds(grant, began, seconds),
            "extensions": list(extensions),
            "authority": authority,
            "time": timestamp(now),
        }
        answer = self._engine.ask(DECISION, {"break_glass": question})
        if not answer.decision.allowed:
            raise RefusedGrantError(
                " ".join(answer.decision.violations),
                hint=f"decision {answer.decision_id}; nothing was signed",
            )
        # 63 random bits: a signed number of 64 holds them everywhere.
        wanted = terms(grant, secrets.randbits(63) | 1, began, seconds, extensions)
        certificate = self._signer.sign(public_key, wanted)
        made = _checked(certificate, wanted, authority)
        issued = Issued(
            grant=grant,
            serial=wanted.serial,
            authority=self._signer.authority,
            fingerprint=made.fingerprint,
            valid_after=wanted.valid_after,
            valid_before=wanted.valid_before,
            time=timestamp(now),
            decision=answer.decision_id,
            asked=asked,
        )
        self._book.add(issued)
        return Handed(certificate=certificate, issued=issued)


def _checked(certificate: str, wanted: Terms, authority: str) -> Certificate:
    try:
        made = read(base64.b64decode(certificate.split()[1]))
    except ValueError as error:
        raise BreakGlassError(f"the signer made no certificate: {error}") from error
    if wrong := differences(wanted, made, authority):
        raise BreakGlassError(f"the signer made another certificate than was asked for: {', '.join(wrong)}")
    return made
