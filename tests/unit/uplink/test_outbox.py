"""What is sent to the ledger next: in order, once, as far as it is acknowledged, and always with the same bytes."""

from pathlib import Path

import msgspec
import pytest

from hostseal.core.decision import Action, Decision, Finding
from hostseal.core.event import Event, EventType, Host
from hostseal.core.standing import Incident
from hostseal.spool.records import ActionState, ActionTask
from hostseal.spool.sqlite import SqliteSpool
from hostseal.uplink import outbox
from hostseal.uplink.outbox import Outbox

HOST = Host(name="web-1-g1", machine_id="m", boot_id="b")
TIME = "2026-11-24T12:00:00.000000Z"
NOTHING = Decision(allowed=True, violations=(), findings=(), actions=())
FLAG = Decision(
    allowed=False,
    violations=("no",),
    findings=(Finding(rule="r", severity="high", message="alice opened a shell"),),
    actions=(Action.FLAG,),
    deadline_seconds=60,
)


@pytest.fixture
def spool(tmp_path: Path) -> SqliteSpool:
    return SqliteSpool(tmp_path / "spool.db")


def opened(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "spool.db", HOST.name)


def put(spool: SqliteSpool, name: str, decision: Decision | None = NOTHING, **data: object) -> None:
    kind = EventType.SESSION_OPENED
    spool.put(lambda seq: Event(id=name, type=kind, time=TIME, seq=seq, host=HOST, data=dict(data)))
    if decision is not None:
        spool.decided(name, f"decision of {name}", decision, TIME)
        spool.done(name, TIME)


def ids(box: Outbox, incident: Incident | None = None) -> list[str]:
    return [parcel.id for parcel in box.next(incident).parcels]


def test_acknowledged_events_are_sent_in_their_order_and_only_they(
    spool: SqliteSpool, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        put(spool, name)
    put(spool, "undecided", None)
    put(spool, "after it")
    with opened(tmp_path) as box:
        assert ids(box) == ["a", "b"]
        assert box.numbers() == (4, 2, 1)


def test_what_was_sent_is_not_sent_again_even_after_a_restart(spool: SqliteSpool, tmp_path: Path) -> None:
    put(spool, "a")
    with opened(tmp_path) as box:
        box.sent(box.next(None))
    put(spool, "b")
    with opened(tmp_path) as box:
        assert (ids(box), box.cursor()) == (["b"], 1)
        box.forget()
        assert (ids(box), box.cursor()) == (["a", "b"], 0)


def test_an_event_goes_with_its_receipt_and_has_the_same_bytes_each_time(
    spool: SqliteSpool, tmp_path: Path
) -> None:
    put(spool, "a", user="al\x1bice")
    with opened(tmp_path) as box:
        first, again = (box.next(None).parcels[0] for _ in range(2))
    assert bytes(first.body) == bytes(again.body)
    body = msgspec.json.decode(first.body)
    assert (body["decision_id"], body["decision"]["allowed"], body["event"]["seq"]) == (
        "decision of a",
        True,
        1,
    )
    assert body["event"]["data"] == {"user": "al\x1bice"}


def test_a_batch_is_bounded_in_number_and_in_bytes(
    spool: SqliteSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        put(spool, f"e{number}", note="x" * 1000)
    with opened(tmp_path) as box:
        monkeypatch.setattr(outbox, "MAX_BYTES", 2500)
        assert ids(box) == ["e0"]
        monkeypatch.setattr(outbox, "MAX_BYTES", 1)
        assert ids(box) == ["e0"]
        monkeypatch.setattr(outbox, "MAX_BYTES", 1 << 20)
        assert [parcel.id for parcel in box.next(None, 3).parcels] == ["e0", "e1", "e2"]


def test_a_flag_goes_first_once_and_as_it_was_raised(spool: SqliteSpool, tmp_path: Path) -> None:
    put(spool, "a")
    put(spool, "b", FLAG)
    incident = Incident(id="i", opened=TIME, events=("b",), evidence=1, reasons=("alice opened a shell",))
    grown = msgspec.structs.replace(
        incident, evidence=9, reasons=("alice opened a shell", "more"), deadline="sooner"
    )
    with opened(tmp_path) as box:
        batch, later = box.next(incident), box.next(grown)
        assert [parcel.kind for parcel in batch.parcels] == ["flag"]
        assert bytes(batch.parcels[0].body) == bytes(later.parcels[0].body)
        body = msgspec.json.decode(batch.parcels[0].body)
        assert (body["reasons"], body["deadline"]) == (
            ["alice opened a shell"],
            "2026-11-24T12:01:00.000000Z",
        )
        box.sent(batch)
        assert ids(box, grown) == ["a", "b"]
        assert ids(box, msgspec.structs.replace(incident, id="another")) == ["another"]


def test_an_actions_outcome_is_sent_once_it_is_final(spool: SqliteSpool, tmp_path: Path) -> None:
    task = ActionTask(id="x", action="flag", incident="i", event="a", created=TIME, state=ActionState.QUEUED)
    spool.queue_action(task)
    with opened(tmp_path) as box:
        assert ids(box) == []
        spool.action_state(
            msgspec.structs.replace(task, state=ActionState.DEAD, attempts=8, error="no", finished=TIME)
        )
        batch = box.next(None)
        assert [parcel.id for parcel in batch.parcels] == ["x:dead:8"]
        assert msgspec.json.decode(batch.parcels[0].body)["error"] == "no"
        box.sent(batch)
        assert ids(box) == []
