"""Answers the command line over the agent's socket: each operation has its desk."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hostseal.gate_keeper import GateKeeper
from hostseal.open_sessions import OpenSessions
from hostseal.operator_desk import OperatorDesk
from hostseal.pardon_desk import PardonDesk
from hostseal.pipeline import Pipeline
from hostseal.ports import Clock
from hostseal.recorder import Recorder
from hostseal.release_desk import PurgeDesk, ReleaseDesk
from hostseal.response_desk import ResponseDesk
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile

Message = Mapping[str, Any]


class ControlDesk:
    """Takes one question, `{"op": NAME, ...}`, to whoever answers it; HostsealError when that one refuses."""

    def __init__(
        self,
        key: Path,
        recorder: Recorder,
        pipeline: Pipeline,
        spool: SqliteSpool,
        flag: StandingFile,
        sessions: OpenSessions,
        keeper: GateKeeper,
        clock: Clock,
        *,
        status: Callable[[], Message],
        scan: Callable[[Message], Message],
    ) -> None:
        """`key` is the public one of pardons and releases."""
        name, lockdown = recorder.host.name, pipeline.responses.lockdown
        self._answers: Mapping[object, Callable[[Message], Message]] = {
            "status": lambda _: {"ok": True, **status()},
            "scan": scan,
            "pardon": PardonDesk(recorder, flag, name, key, clock).take,
            "release": ReleaseDesk(recorder, lockdown, name, key, clock).take,
            "purge_lockdown": PurgeDesk(recorder, pipeline, clock).take,
            "flag": OperatorDesk(recorder, pipeline, spool, flag).take,
            "ask": ResponseDesk(recorder, pipeline, spool, sessions).take,
            "gate": lambda _: keeper.status(),
            "gate_confirm": keeper.confirm,
            "gate_disarm": keeper.disarm,
        }

    def take(self, message: Message) -> Message:
        """Return the answer."""
        answer = self._answers.get(message.get("op"))
        return (
            {"ok": False, "error": f"unknown operation {message.get('op')!r}"}
            if answer is None
            else answer(message)
        )
