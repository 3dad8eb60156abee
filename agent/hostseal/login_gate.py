"""Decides whether a login is admitted: by the policy, or, when there is no answer, by the host's own settings."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec

from hostseal.config.settings import GateSettings, OnFailure
from hostseal.core.decision import Decision
from hostseal.core.event import Event, EventType, from_timestamp, in_words, timestamp
from hostseal.core.login import UNASKED, PrincipalClass, about, certificate_of, unasked
from hostseal.core.ssh_certificate import fingerprint
from hostseal.core.standing import Standing
from hostseal.errors import NoAnswerError
from hostseal.policy.answer import Answer
from hostseal.ports import Clock, Emit
from hostseal.sensors.pam_message import Verdict

ENTRY_POINT = "hostseal/login/decision"
AUTHORITIES = Path("/etc/ssh/hostseal_break_glass.pub")
TEXT_LIMIT = 2000
_NEVER = datetime.max.replace(tzinfo=UTC)
Ask = Callable[[str, dict[str, Any]], Answer]


class Serials(Protocol):
    """Remembers which certificates were used on this host."""

    def used(self, ca: str, serial: int) -> bool:
        """Return whether a session was opened with it."""

    def use(self, ca: str, serial: int, until: datetime, now: datetime) -> bool:
        """Note, durably, that a session was opened with it, which ends at `until`; return whether this was the first."""


class LoginGate:
    """Answers about one phase of one login, which is on disk already (law 1)."""

    def __init__(
        self,
        ask: Ask,
        emit: Emit,
        serials: Serials,
        clock: Clock,
        *,
        instance: str,
        settings: GateSettings,
        automation: Callable[[], tuple[str, ...]],
        authorities: Path = AUTHORITIES,
    ) -> None:
        self._ask, self._emit, self._serials, self._clock = ask, emit, serials, clock
        self._instance, self._settings, self._automation = instance, settings, automation
        self._authorities = authorities

    def answer(self, event: Event, now: Standing) -> Verdict:
        """Return the verdict; what is refused, and what is admitted without the policy's word, is an event by then."""
        first = self._used_first(event)
        try:
            answer = self._ask(ENTRY_POINT, self._question(event, now, used=not first, armed=True))
        except NoAnswerError as error:
            return self._unasked(event, str(error))
        decision = answer.decision
        if decision.allowed:
            return Verdict(text=self._price(decision, now))
        self._refused(event, by="policy", why=decision.violations, decision=answer.decision_id)
        return Verdict(
            admitted=False, text="\n".join(f"Refused: {why}" for why in decision.violations)[:TEXT_LIMIT]
        )

    def foresee(self, event: Event, now: Standing) -> None:
        """Let the policy log what it would say where the gate refuses nobody; an answer that is missing is none."""
        first = self._used_first(event)
        try:
            self._ask(ENTRY_POINT, self._question(event, now, used=not first, armed=False))
        except NoAnswerError:
            return

    def use_up(self, data: Mapping[str, Any]) -> bool:
        """Note the certificate of an opened session (`data` is that of `session.opened`) as used; return whether it was new.

        A session without one is new. SpoolError when it cannot be written down.
        """
        certificate = certificate_of(EventType.SESSION_OPENED, data)
        if certificate is None:
            return True
        ends = certificate["valid_before"]
        until = from_timestamp(ends) if ends else _NEVER
        return self._serials.use(
            certificate["ca_fingerprint"], certificate["serial"], until, self._clock.now()
        )

    def _used_first(self, event: Event) -> bool:
        """Return whether the login's certificate is new to this host; an opened session uses it up."""
        if event.type is EventType.SESSION_OPENED:
            return self.use_up(event.data)
        certificate = certificate_of(event.type, event.data)
        return certificate is None or not self._serials.used(
            certificate["ca_fingerprint"], certificate["serial"]
        )

    def _question(self, event: Event, now: Standing, *, used: bool, armed: bool) -> dict[str, Any]:
        session = event.type is EventType.SESSION_OPENED
        incident = now.incident.id if now.incident else None
        return {
            "event": msgspec.to_builtins(event),
            "standing": {"state": str(now.state), "incident": incident},
            "login": {
                "phase": "session" if session else "account",
                "certificate": certificate_of(event.type, event.data),
                "proven": session,
                "used": used,
                "armed": armed,
                "time": timestamp(self._clock.now()),
                "instance": self._instance,
            },
        }

    def _price(self, decision: Decision, now: Standing) -> str:
        if decision.deadline_seconds is None:
            return ""
        due = self._clock.now() + timedelta(seconds=decision.deadline_seconds)
        if now.incident is not None and now.incident.deadline is not None:
            due = min(due, from_timestamp(now.incident.deadline))
        lines = [finding.message for finding in decision.findings]
        return "\n".join([*lines, f"This host will be replaced by {in_words(timestamp(due))}."])[:TEXT_LIMIT]

    def _unasked(self, event: Event, cause: str) -> Verdict:
        who = self._class_of(event)
        choice = OnFailure(getattr(self._settings, f"on_failure_{who}"))
        if choice is OnFailure.DENY:
            self._refused(event, by="on_failure", why=(UNASKED,), decision=None)
            return Verdict(admitted=False, text=UNASKED)
        data = unasked(about(event.id, event.type, event.data), who, choice, cause)
        self._emit(EventType.LOGIN_UNASKED, data, sensor="gate", key=event.id)
        return Verdict()

    def _class_of(self, event: Event) -> PrincipalClass:
        certificate = certificate_of(event.type, event.data)
        if certificate is not None and certificate["ca_fingerprint"] in authorities(self._authorities):
            return PrincipalClass.BREAK_GLASS
        automation = event.data["user"] in self._automation()
        return PrincipalClass.AUTOMATION if automation else PrincipalClass.PERSON

    def _refused(self, event: Event, *, by: str, why: tuple[str, ...], decision: str | None) -> None:
        said = about(event.id, event.type, event.data)
        data = {**said, "by": by, "why": list(why), "decision_id": decision}
        self._emit(EventType.LOGIN_REFUSED, data, sensor="gate", key=event.id)


def authorities(path: Path) -> frozenset[str]:
    """Return the fingerprints of the authorities that sshd goes by; none when they cannot be read."""
    try:
        lines = path.read_text("ascii").splitlines()
        blobs = [base64.b64decode(line.split()[1], validate=True) for line in lines if len(line.split()) > 1]
    except (OSError, ValueError):
        return frozenset()
    return frozenset(fingerprint(blob) for blob in blobs)
