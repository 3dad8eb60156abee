"""Keeps the login gate: when it refuses, since when, by whose word; each change is an event."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hostseal import host_identity
from hostseal.config.settings import GateSettings
from hostseal.core import arming
from hostseal.core.arming import Arming
from hostseal.core.event import Event, EventType
from hostseal.errors import SpoolError
from hostseal.gate_file import GateFile
from hostseal.login_gate import Ask, LoginGate
from hostseal.operator_desk import text
from hostseal.ports import Clock
from hostseal.recorder import Recorder
from hostseal.sensors.pam_message import Verdict
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile
from hostseal.used_certificates import UsedCertificates

T = TypeVar("T")
FORESEEN_AT_ONCE = 2
"""Of more logins at once, where the gate refuses nobody, the policy is not asked what it would have said."""
_ENFORCE = "enforce"


class GateKeeper:
    """Asks the gate where it is armed; lets the policy log what it would say where it is not."""

    def __init__(
        self,
        file: GateFile,
        gate: LoginGate,
        recorder: Recorder,
        spool: SqliteSpool,
        flag: StandingFile,
        clock: Clock,
        settings: GateSettings,
    ) -> None:
        self._file, self._gate, self._recorder, self._spool = file, gate, recorder, spool
        self._flag, self._clock, self._settings = flag, clock, settings
        self._foreseeing = threading.BoundedSemaphore(FORESEEN_AT_ONCE)

    def answer(self, event: Event) -> Verdict:
        """Return the verdict on a recorded login; only an armed gate of a host in mode `enforce` refuses."""
        self.tick()
        if self._file.now.refuses:
            return self._gate.answer(event, self._flag.now)
        if self._foreseeing.acquire(blocking=False):
            threading.Thread(target=self._foresee, args=(event,), name="foresee", daemon=True).start()
        elif event.type is EventType.SESSION_OPENED:
            self._gate.use_up(event.data)
        return Verdict()

    def late(self, data: Mapping[str, Any]) -> None:
        """Note a session that the hook let in without the agent: it has used its certificate up. SpoolError."""
        self._gate.use_up(data)

    def _foresee(self, event: Event) -> None:
        try:
            self._gate.foresee(event, self._flag.now)
        finally:
            self._foreseeing.release()

    def proven(self, event: Event) -> None:
        """Take the policy's word that a break-glass login has worked on this host."""
        session = f"{event.host.boot_id}:{event.audit_session}"
        self._change(
            lambda now: arming.proven(now, session, self._clock.now(), self._settings.revert_seconds),
            session=event.audit_session,
        )

    def confirm(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Arm the gate for good on the word of a connection that came in through it; ArmingError says why not."""
        audit = message.get("audit_session")
        boot = self._recorder.host.boot_id
        openings = self._spool.of_boot(boot, EventType.SESSION_OPENED)
        opened = next((event for event in openings if event.audit_session == audit), None)
        session = None if opened is None else f"{boot}:{audit}"
        moment = None if opened is None else opened.time
        self._change(lambda now: arming.confirmed(now, session, moment, self._clock.now()), session=audit)
        return self.status()

    def disarm(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Switch the gate off for a person and a reason; OperatorError when either is missing."""
        person, reason = text(message, "person"), text(message, "reason")
        self._change(lambda now: arming.off(now, "disarmed", self._clock.now()), person=person, reason=reason)
        return self.status()

    def tick(self) -> None:
        """Revert a trial that nobody confirmed, and a gate whose host is no longer in mode `enforce`."""
        now = self._clock.now()
        if arming.due(self._file.now, now):
            self._change(lambda known: arming.off(known, "nobody confirmed it in time", now))
        if self._file.now.refuses and self._recorder.host.mode != _ENFORCE:
            self._change(lambda known: arming.off(known, "the mode is no longer enforce", now))
        self._file.keep(self._settings, self._recorder.automation)

    def status(self) -> dict[str, Any]:
        """Return what `hostseal gate status` shows."""
        return {"ok": True, "gate": msgspec.to_builtins(self._file.now)}

    def _change(self, change: Callable[[Arming], Arming], **extra: Any) -> None:
        def tell(before: Arming, after: Arming) -> None:
            data = {
                "state": str(after.state), "before": str(before.state), "cause": after.cause, "until": after.until,
                "session": extra.get("session"), "person": extra.get("person"), "reason": extra.get("reason"),
            }  # fmt: skip
            self._recorder(EventType.GATE_CHANGED, data, sensor="gate", key=f"{after.state}:{after.since}")

        self._file.change(change, tell)


def assemble(
    settings: GateSettings,
    state: Path,
    ask: Ask,
    recorder: Recorder,
    spool: SqliteSpool,
    flag: StandingFile,
    clock: Clock,
) -> GateKeeper:
    """Return the gate of this host over the agent's state directory.

    A file of the gate's that is damaged is set aside, which is a loss on record: the sensors do not go blind for it.
    """
    used = _opened(UsedCertificates, state / "used-certificates.db", recorder)
    file = _opened(lambda path: GateFile(path, settings), state / "gate", recorder)
    gate = LoginGate(
        ask,
        recorder,
        used,
        clock,
        instance=host_identity.instance_id(),
        settings=settings,
        automation=lambda: recorder.automation,
    )
    return GateKeeper(file, gate, recorder, spool, flag, clock, settings)


def _opened(opening: Callable[[Path], T], path: Path, recorder: Recorder) -> T:
    try:
        return opening(path)
    except SpoolError as error:
        if not path.is_file():
            raise
        aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        data: dict[str, Any] = {
            "sensor": "gate", "cause": f"its file was damaged and set aside: {error.message}", "since": None,
            "until": None, "scope": str(aside), "rescanned": False, "detail": {},
        }  # fmt: skip
        path.rename(aside)
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        recorder(EventType.SENSOR_LOST, data, sensor="gate", key=f"aside:{aside.name}")
        return opening(path)
