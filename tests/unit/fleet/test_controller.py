"""The controller: one successor, whatever fails and wherever it is killed; the old host serves until the new one does."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from hostseal.core import lifecycle
from hostseal.core.lifecycle import Hold, Instance, Life, State
from hostseal.errors import LauncherError, LeaseError, NoAnswerError, NotReplacedError
from hostseal.fleet.controller import Controller
from hostseal.fleet.holder import Holder, this_process
from hostseal.fleet.store import LifeStore
from hostseal.ledger import database
from unit.fleet.world import IMAGE, OLD, Killed, World

ATTEMPTS = 3
# More than a whole replacement makes: a later one kills nobody.
CALLS = 20
BORN = "2026-11-24T11:00:00.000000Z"


@pytest.fixture
def store(tmp_path: Path) -> LifeStore:
    """A store with nobody in it."""
    database.make(tmp_path / "ledger.db")
    return LifeStore(database.Database(tmp_path / "ledger.db"), World().now)


def seed(store: LifeStore, life: Life | None = None) -> None:
    with store.lease(this_process()) as lease:
        store.save(lease, life or lifecycle.born(OLD, BORN))


def run(store: LifeStore, world: World, host: str | None = None) -> Life | None:
    """What `hostseal fleet once` does."""
    with store.lease(this_process()) as lease:
        controller = Controller(store, lease, world.ports(), attempts=ATTEMPTS)
        life = controller.chosen(controller.observe(), host)
        return None if life is None else controller.replace(life)


def test_a_flagged_host_is_replaced_and_each_step_is_recorded(store: LifeStore) -> None:
    seed(store)
    world = World()
    successor = run(store, world)
    assert successor is not None
    assert (successor.instance.host, successor.state, successor.instance.image) == (
        "web-1-g2",
        State.SEALED,
        IMAGE,
    )
    assert (list(world.machines_there), world.serving) == (["web-1-g2"], ["web-1-g2"])
    old = store.get(OLD.host)
    assert old is not None
    assert old.state is State.RETIRED
    assert [step for _, _, step in world.records] == ["replacing", "verifying", "draining", "retired"]
    world.flagged = {}
    assert run(store, world) is None


@pytest.mark.parametrize("call", range(1, CALLS))
def test_killed_after_any_call_the_same_command_again_ends_with_one_successor(
    store: LifeStore, call: int
) -> None:
    seed(store)
    world = World()
    world.kill_at = call
    with contextlib.suppress(Killed):
        run(store, world)
    world.kill_at = 0
    assert world.serving, "nobody serves"
    run(store, world)
    assert list(world.machines_there) == world.serving == ["web-1-g2"]
    assert world.created == ["web-1-g2"]
    assert [(life.instance.host, life.state) for life in store.all()] == [("web-1-g2", State.SEALED)]
    assert len(world.records) == len(set(world.records)) == 4


@pytest.mark.parametrize("call", range(1, CALLS))
def test_killed_after_any_call_of_a_failing_attempt_the_old_host_serves_as_before(
    store: LifeStore, call: int
) -> None:
    seed(store)
    world = World()
    world.unfit = ("its service does not answer",)
    world.kill_at = call
    with contextlib.suppress(Killed):
        run(store, world)
    world.kill_at = 0
    run(store, world)
    assert list(world.machines_there) == world.serving == [OLD.host]
    (life,) = store.all()
    assert (life.state, life.instance) == (State.FLAGGED, OLD)
    assert "its service does not answer" in str(life.error)


def test_an_instance_that_cannot_be_made_leaves_the_old_host_flagged_and_serving(store: LifeStore) -> None:
    seed(store)
    world = World()
    world.create_fails = True
    life = run(store, world)
    assert life is not None
    assert (life.state, life.attempts, world.serving) == (State.FLAGGED, 1, [OLD.host])
    assert "no room" in str(life.error)


def test_after_too_many_attempts_it_is_quarantined_until_a_person_releases_it(store: LifeStore) -> None:
    seed(store)
    world = World()
    world.unfit = ("broken",)
    for _ in range(ATTEMPTS):
        run(store, world)
    assert world.created == ["web-1-g2", "web-1-g3", "web-1-g4"], "no generation is used twice"
    assert [life.state for life in store.all()] == [State.QUARANTINED]
    assert run(store, world) is None
    world.unfit = ()
    seed(store, lifecycle.released(store.all()[0], "2026-11-24T14:00:00.000000Z"))
    successor = run(store, world)
    assert successor is not None
    assert successor.instance.host == "web-1-g5"


def test_a_controller_that_was_overtaken_changes_nothing_any_more(store: LifeStore) -> None:
    """While it creates, longer than its lease, another one finishes the replacement."""
    seed(store)
    slow, fast = World(), World()
    fast.machines_there, fast.serving = slow.machines_there, slow.serving
    dead = Holder(machine="another", boot="b", pid=1, began=1)

    def create(instance: Instance) -> Instance:
        store._now = lambda: World().now() + timedelta(hours=2)
        run(store, fast)
        raise LauncherError("a time-out")

    slow.create = create  # type: ignore[method-assign]
    with store.lease(dead) as lease:
        controller = Controller(store, lease, slow.ports(), attempts=ATTEMPTS)
        life = controller.chosen(controller.observe(), None)
        assert life is not None
        with pytest.raises(LeaseError, match="taken over"):
            controller.replace(life)
    assert list(fast.machines_there) == fast.serving == ["web-1-g2"]
    assert [step for _, _, step in slow.records] == ["replacing"]
    assert slow.left == []


def test_a_failed_successor_that_cannot_be_removed_is_counted_and_removed_by_a_later_run(
    store: LifeStore,
) -> None:
    seed(store)
    world = World()
    world.unfit, world.remove_fails = ("broken",), True
    life = run(store, world)
    assert life is not None
    assert (life.state, life.attempts, life.leftover and life.leftover.host) == (State.FLAGGED, 1, "web-1-g2")
    with pytest.raises(NotReplacedError, match="web-1-g2, which failed, could not be removed"):
        run(store, world)
    assert world.serving == [OLD.host]
    world.unfit, world.remove_fails = (), False
    successor = run(store, world)
    assert successor is not None
    assert (successor.instance.host, list(world.machines_there), world.left) == (
        "web-1-g3", ["web-1-g3"], ["web-1-g2"],
    )  # fmt: skip


def test_a_look_at_what_would_happen_changes_nothing(store: LifeStore) -> None:
    seed(store)
    world = World()
    world.unfit, world.remove_fails = ("broken",), True
    run(store, world)
    before, world.remove_fails = store.all(), False
    world.flagged = {}
    with store.lease(this_process()) as lease:
        controller = Controller(store, lease, world.ports(), attempts=ATTEMPTS)
        life = controller.chosen(controller.known(), OLD.host)
        assert life is not None
        assert controller.refusal(life) == "web-1-g1 is sealed, not flagged"
    assert store.all() == before
    assert sorted(world.machines_there) == ["web-1-g1", "web-1-g2"]


def test_a_hold_that_is_set_while_a_replacement_runs_is_kept(store: LifeStore) -> None:
    seed(store)
    world = World()
    hold = Hold(person="carol", reason="a demo at noon", since=BORN)
    world.unfit = ("broken",)
    problems = world.problems

    def look(instance: Instance) -> Sequence[str]:
        store.edit(OLD.host, lambda life: lifecycle.held(life, hold))
        return problems(instance)

    world.problems = look  # type: ignore[method-assign]
    life = run(store, world)
    assert life is not None
    assert (life.state, life.hold) == (State.FLAGGED, hold)
    assert run(store, world) is None, "a held host is not due"


def test_a_first_host_that_could_not_serve_does_not_use_its_generation_again(store: LifeStore) -> None:
    world = World()
    world.machines_there, world.serving, world.flagged, world.unfit = {}, [], {}, ("broken",)
    with store.lease(this_process()) as lease:
        controller = Controller(store, lease, world.ports(), attempts=ATTEMPTS)
        with pytest.raises(NotReplacedError, match="web-1-g1 cannot serve: broken"):
            controller.add("web-1")
        world.unfit = ()
        assert controller.add("web-1").instance.host == "web-1-g2"
    assert (list(world.machines_there), world.left) == (["web-1-g2"], ["web-1-g1"])


@pytest.mark.parametrize("call", range(1, 6))
def test_the_first_host_of_a_slot_is_made_once_wherever_it_is_killed(store: LifeStore, call: int) -> None:
    world = World()
    world.machines_there, world.serving, world.flagged = {}, [], {}

    def add() -> Life:
        with store.lease(this_process()) as lease:
            return Controller(store, lease, world.ports(), attempts=ATTEMPTS).add("web-1")

    world.kill_at = call
    with contextlib.suppress(Killed):
        add()
    world.kill_at = 0
    with contextlib.suppress(NotReplacedError):
        add()
    assert world.created == world.serving == list(world.machines_there) == ["web-1-g1"]
    assert [life.instance.host for life in store.all()] == ["web-1-g1"]


@pytest.mark.parametrize("reason", ["sealed", "held", "refused", "no answer", "unknown", "another"])
def test_what_may_not_be_replaced_is_refused_and_nothing_happens(store: LifeStore, reason: str) -> None:
    life = lifecycle.born(OLD, BORN)
    world = World()
    hold = Hold(person="carol", reason="a demo at noon", since=BORN)
    seed(store, lifecycle.held(life, hold) if reason == "held" else life)
    world.flagged = {} if reason == "sealed" else world.flagged
    if reason == "another":
        world.machines_there[OLD.host] = lifecycle.Instance(
            slot="web-1", generation=1, id="i-9", image=OLD.image
        )
    world.allowed, world.answers = reason != "refused", reason != "no answer"
    expected = NoAnswerError if reason == "no answer" else NotReplacedError
    with pytest.raises(expected):
        run(store, world, "web-9-g9" if reason == "unknown" else OLD.host)
    assert (world.created, world.records, world.serving) == ([], [], [OLD.host])


def test_by_itself_it_takes_the_host_whose_deadline_came_first_and_leaves_the_others(
    store: LifeStore,
) -> None:
    seed(store)
    other = lifecycle.Instance(slot="web-2", generation=1, id="i-2", image=OLD.image, address="10.111.0.3")
    seed(store, lifecycle.born(other, BORN))
    world = World()
    world.machines_there[other.host] = other
    world.serving.append(other.host)
    earlier = "2026-11-24T11:30:00.000000Z"
    world.flagged[other.host] = lifecycle.Incident(id="incident-2", deadline=earlier, reasons=())
    run(store, world)
    assert world.created == ["web-2-g2"]
    del world.flagged[other.host]
    world.time = world.time.replace(hour=10)
    assert run(store, world) is None, "web-1's deadline has not come"


def test_a_second_controller_is_turned_away_while_the_first_lives_and_takes_over_when_it_is_dead(
    store: LifeStore,
) -> None:
    me = this_process()
    with store.lease(me) as first, pytest.raises(LeaseError, match="another controller"), store.lease(me):
        pytest.fail(f"two leases: {first}")
    dead = Holder(machine=me.machine, boot=me.boot, pid=me.pid, began=me.began - 1)
    with store.lease(dead) as stale, store.lease(me) as fresh:
        assert fresh.fence > stale.fence
        with pytest.raises(LeaseError, match="taken over"):
            store.save(stale, lifecycle.born(OLD, BORN))
        store.save(fresh, lifecycle.born(OLD, BORN))
    elsewhere = Holder(machine="another", boot="b", pid=1, began=1)
    with store.lease(elsewhere), pytest.raises(LeaseError), store.lease(me):
        pytest.fail("a holder elsewhere may be alive")
    before_the_boot = Holder(machine=me.machine, boot="earlier", pid=me.pid, began=me.began)
    with store.lease(before_the_boot), store.lease(me):
        pass
    with store.lease(me):
        store._now = lambda: World().now() + timedelta(days=1)
        with pytest.raises(LeaseError), store.lease(me):
            pytest.fail("one that lives here keeps it, however long it takes")
