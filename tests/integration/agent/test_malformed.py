"""An event that cannot be judged is recorded with the reason, holds nothing up and lifts no suspicion."""

from pathlib import Path

from hostseal.core import standing
from hostseal.core.standing import State
from hostseal.pipeline import Pipeline
from hostseal.recorder import Recorder
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile
from integration.agent.test_no_answer import HOST, STARTED, SteppedClock, opa

SENTENCE = "The event cannot be judged: event.data.user is a number, not a text."


def test_it_is_acknowledged_with_its_finding_and_the_next_event_is_decided(tmp_path: Path) -> None:
    said: list[tuple[str, dict[str, object]]] = []
    clock, spool = SteppedClock(), SqliteSpool(tmp_path / "spool.db")

    def listen(step: str, **fields: object) -> None:
        said.append((str(step), fields))

    recorder = Recorder(spool, HOST, clock, listen, pending_limit=10)
    spoilt = recorder("session.opened", {"user": 7, "audit_session": 3}, sensor="pam", key="a")
    started = recorder("agent.started", STARTED, sensor="agent", key="b")
    flag = StandingFile(tmp_path / "flag.json")
    flag.change(lambda now: standing.provisional(now, spool.task(spoilt).event))
    with opa(tmp_path, None) as engine:
        pipeline = Pipeline(spool, recorder, engine, flag, clock, listen, tmp_path)
        while spool.pending():
            assert pipeline.step() == 0.0
    assert pipeline.trouble is None
    assert [fields["id"] for step, fields in said if step == "event.acknowledged"] == [spoilt, started]
    [first, second] = [fields for step, fields in said if step == "decision.made"]
    assert (first["id"], first["why"], first["actions"]) == (spoilt, SENTENCE, "none")
    assert (second["id"], second["why"]) == (started, None)
    kept = spool.task(spoilt).decision
    assert kept is not None
    assert (kept.allowed, kept.judged, kept.violations) == (False, False, (SENTENCE,))
    assert flag.now.state is State.SUSPECT
