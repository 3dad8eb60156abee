"""The gates on a host: the agent's look at OPA, its decisions on events and the login gate, each by its real code."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hostseal.config.settings import GateSettings, OnFailure, OpaSettings
from hostseal.core import engine_watch
from hostseal.core.engine_watch import News, Watched
from hostseal.core.event import Event, EventType, Host
from hostseal.core.standing import Standing
from hostseal.errors import NoAnswerError
from hostseal.login_gate import LoginGate
from hostseal.pipeline import Pipeline
from hostseal.policy.engine import OpaEngine
from hostseal.policy.status import OpaLook
from hostseal.recorder import Recorder
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile
from hostseal.used_certificates import UsedCertificates
from integration.failures.faults import Address
from integration.failures.row import Place, Row, stable

SAMPLES = Path(__file__).parents[2] / "samples/events"
HOST = Host(name="web-1-g1", machine_id="0" * 32, boot_id="b" * 32)


@dataclasses.dataclass
class Clock:
    """A clock that the test moves."""

    seconds: float = 1_767_323_046.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())["data"]


def health(place: Place) -> Row:
    """What `hostseal doctor` finds, and the agent's own watch of OPA; neither asks for a decision."""
    try:
        place.at.engine().check()
    except NoAnswerError as error:
        found = ("not in order", f"“{stable(str(error))}”")
    else:
        found = ("in order", "nothing")
    return Row(*found, ", ".join(_told_by_the_agent(place.at)))


def _told_by_the_agent(at: Address) -> list[str]:
    """Return what the agent's watch of OPA reports after two looks."""
    look = OpaLook(OpaSettings(url=at.url, ca=str(at.ca or ""), token_file=str(at.token or "")))
    known, told = Watched(), list[News]()
    for second in range(2):
        known, news = engine_watch.look(known, look(), f"2026-01-02T03:04:0{second}.000000Z")
        told += news
    return [f"event `sensor.lost` of the decision log, `{one.cause}`: {one.data()['scope']}" for one in told]


def event(place: Place) -> Row:
    """A person's shell, on its way through the agent's pipeline."""
    heard: list[tuple[str, dict[str, Any]]] = []

    def listen(step: str, **fields: Any) -> None:
        heard.append((str(step), fields))

    spool, clock = SqliteSpool(place.folder / "spool.db"), Clock()
    recorder = Recorder(spool, HOST, clock, listen, pending_limit=10)
    identity = recorder("session.channel", sample("channel_shell"), sensor="journal", key="a")
    flag = StandingFile(place.folder / "flag.json")

    def pipeline(engine: OpaEngine) -> Pipeline:
        return Pipeline(spool, recorder, engine, flag, clock, listen, place.folder)

    asking = pipeline(place.at.engine())
    asking.step()
    while asking.step() == 0.0:
        pass
    waits = spool.pending()
    step, fields = next(one for one in heard if one[0] in {"decision.missing", "decision.made"})
    logged = f"`{step}` {stable(str(fields.get('error') or fields.get('why')))}"
    if not waits:
        task = spool.task(identity)
        assert task.decision is not None
        rules = ", ".join(finding.rule for finding in task.decision.findings)
        did = ", ".join(task.decision.actions) or "nothing is done, and the standing stays as it was"
        later = f"finding `{rules}` in `hostseal record`"
        if place.at.server is not None:
            entry = place.at.server.decision_log(str(task.decision_id))
            assert entry["bundles"]["hostseal"]["revision"]
            later += "; the bundle's revision in OPA's decision log"
        return Row(f"decided and acknowledged: {did}", logged, later)
    assert flag.now == Standing()
    error = stable(spool.task(identity).error or "")
    clock.seconds += 3600
    again = pipeline(place.mended.engine())
    while spool.pending():
        again.step()
    task = spool.task(identity)
    assert task.decision is not None
    return Row(
        "stays spooled, undecided, and is asked about again; the standing stays as it was",
        logged,
        f"until then `no decision yet: {error}` in `hostseal record`; once OPA answers: {', '.join(task.decision.actions)}",
    )


def login(place: Place, on_failure: OnFailure) -> Row:
    """A person's login without break-glass, at an armed gate."""
    told: list[tuple[EventType, dict[str, Any]]] = []

    def emit(kind: EventType, data: Any, **_more: Any) -> str:
        told.append((kind, dict(data)))
        return ""

    gate = LoginGate(
        place.at.engine().ask,
        emit,
        UsedCertificates(place.folder / f"used-{on_failure}.db"),
        Clock(),
        instance="i",
        settings=GateSettings(on_failure_person=on_failure),
        automation=lambda: ("deploy",),
        authorities=place.folder / "none",
    )
    asked = Event(
        id="00000000-0000-5000-8000-000000000001",
        type=EventType.LOGIN_REQUESTED,
        time="2026-01-02T03:04:06.000000Z",
        seq=1,
        host=HOST,
        data=sample("login_requested"),
    )
    verdict = gate.answer(asked, Standing())
    [(kind, data)] = told
    cause = stable(str(data.get("cause") or f"by {data['by']}"))
    later = place.mended.engine().decide(Event(**{**_fields(asked), "type": kind, "data": data}), Standing())
    rules = ", ".join(f"`{finding.rule}`" for finding in later.decision.findings)
    does = ", ".join(later.decision.actions) or "no action"
    return Row(
        "admitted" if verdict.admitted else f"refused: “{verdict.text.removeprefix('Refused: ')}”",
        f"event `{kind}`, {cause}",
        f"the event's own decision: finding {rules}, {does}",
    )


def _fields(one: Event) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}
