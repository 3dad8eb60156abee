"""The plan of scans: every loss is followed by a scan that began after it and covers it, or by a refusal that is said."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hostseal.core.scan_plan import GIVES_WAY, Cause, Job, Outcome, Pace, Plan
from hostseal.core.scopes import covers

ATTEMPTS = 3
SCOPES = st.lists(
    st.sampled_from([b"/etc", b"/etc/ssh", b"/usr", b"/usr/bin", b"/opt/a"]), min_size=1, max_size=3
)


def test_a_loss_is_scanned_before_what_waits_since_the_start() -> None:
    plan = Plan(ATTEMPTS)
    plan.ask(Cause.START, [b"/"])
    plan.ask(Cause.LOSS, [b"/etc"], [1])
    assert [job.cause for job in plan.waiting] == [Cause.LOSS, Cause.START]
    job = plan.begin(0.0)
    assert job == Job(cause=Cause.LOSS, scope=(b"/etc",), asked=frozenset({1}))
    assert plan.begin(0.0) is None, "one at a time"


def test_what_is_asked_while_a_scan_runs_waits_for_the_next() -> None:
    plan = Plan(ATTEMPTS)
    plan.ask(Cause.LOSS, [b"/etc"], [1])
    plan.begin(0.0)
    plan.ask(Cause.LOSS, [b"/etc"], [2])
    assert plan.ended(Outcome.DONE, 1.0) is None
    assert plan.begin(1.0) == Job(cause=Cause.LOSS, scope=(b"/etc",), asked=frozenset({2}))


def test_a_scan_over_its_deadline_goes_on_in_the_background_and_then_counts_as_a_try() -> None:
    plan = Plan(ATTEMPTS)
    plan.ask(Cause.START, [b"/"])
    plan.begin(0.0)
    assert plan.ended(Outcome.LATE, 5.0) is None
    job = plan.begin(5.0)
    assert job is not None
    assert (job.pace, job.attempts) == (Pace.REST, 0)
    assert plan.ended(Outcome.LATE, 9.0) is None
    assert plan.begin(9.0) is None, "there is a pause before the next try"
    again = plan.begin(plan.next_due() or 0.0)
    assert again is not None
    assert (again.pace, again.attempts) == (Pace.REST, 1)


def test_a_scan_that_keeps_failing_is_given_up_and_said() -> None:
    plan = Plan(ATTEMPTS)
    plan.ask(Cause.LOSS, [b"/etc"], [7])
    given_up, now = None, 0.0
    for _ in range(ATTEMPTS):
        now = max(now, plan.next_due() or 0.0)
        assert plan.begin(now) is not None
        given_up = plan.ended(Outcome.FAILED, now)
    assert given_up is not None
    assert (given_up.asked, given_up.attempts) == (frozenset({7}), ATTEMPTS)
    assert plan.waiting == ()


def test_a_scan_in_the_background_gives_way_to_a_loss_and_is_not_widened_into_it() -> None:
    plan = Plan(ATTEMPTS)
    plan.ask(Cause.LOSS, [b"/"], [1], pace=Pace.REST)
    plan.begin(0.0)
    assert not plan.gives_way(0.0)
    plan.ask(Cause.LOSS, [b"/etc/ssh"], [2])
    assert plan.gives_way(0.0)
    assert plan.ended(Outcome.GAVE_WAY, 1.0) is None
    assert plan.begin(1.0) == Job(cause=Cause.LOSS, scope=(b"/etc/ssh",), asked=frozenset({2}))
    assert not plan.gives_way(1.0), "an urgent one gives way to nothing"
    plan.ended(Outcome.DONE, 2.0)
    again = plan.begin(2.0)
    assert again is not None
    assert (again.scope, again.asked, again.attempts, again.gave_way) == ((b"/",), frozenset({1}), 0, 1)


def test_it_gives_way_a_few_times_only() -> None:
    plan = Plan(ATTEMPTS)
    plan.ask(Cause.START, [b"/"], pace=Pace.REST)
    for count in range(GIVES_WAY):
        job = plan.begin(0.0)
        assert job is not None
        assert job.gave_way == count
        plan.ask(Cause.LOSS, [b"/etc"])
        assert plan.gives_way(0.0)
        plan.ended(Outcome.GAVE_WAY, 0.0)
        plan.begin(0.0)
        plan.ended(Outcome.DONE, 0.0)
    plan.begin(0.0)
    plan.ask(Cause.LOSS, [b"/etc"])
    assert not plan.gives_way(0.0)


class Losses(RuleBasedStateMachine):
    """Losses at any time, scans that end in any way."""

    @initialize()
    def begin(self) -> None:
        self.plan, self.now, self.next = Plan(ATTEMPTS), 0.0, 0
        self.open: dict[int, tuple[bytes, ...]] = {}
        self.running: Job | None = None
        self.asked_since: set[int] = set()

    @rule(cause=st.sampled_from(Cause), scope=SCOPES)
    def lose(self, cause: Cause, scope: list[bytes]) -> None:
        self.next += 1
        self.open[self.next] = tuple(scope)
        self.asked_since.add(self.next)
        self.plan.ask(cause, scope, [self.next])

    @rule(seconds=st.floats(min_value=0, max_value=40))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.running is None)
    @rule()
    def start(self) -> None:
        self.running = self.plan.begin(self.now)
        if self.running is not None:
            self.asked_since = set()

    @precondition(lambda self: self.running is not None)
    @rule(outcome=st.sampled_from(Outcome))
    def end(self, outcome: Outcome) -> None:
        job, self.running = self.running, None
        assert job is not None
        given_up = self.plan.ended(outcome, self.now)
        settled = job.asked if outcome is Outcome.DONE else given_up.asked if given_up is not None else ()
        for number in settled:
            assert number not in self.asked_since, "it was asked for after the scan began"
            assert covers(job.scope, self.open.pop(number))

    @invariant()
    def nothing_is_forgotten_and_the_queue_is_short(self) -> None:
        jobs = [*self.plan.waiting, *([self.running] if self.running else [])]
        assert {number for job in jobs for number in job.asked} == set(self.open)
        assert len(self.plan.waiting) <= len(Cause) * len(Pace)

    def teardown(self) -> None:
        """Let it run to its end: it comes to one."""
        for _ in range(2 * ATTEMPTS * len(Cause) * len(Pace) + 2):
            if self.running is None:
                self.now = max(self.now, self.plan.next_due() or self.now)
                self.start()
            if self.running is not None:
                self.end(Outcome.DONE)
        assert self.open == {}


TestLosses = Losses.TestCase
TestLosses.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
