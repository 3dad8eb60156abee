"""Sessions put together from what witnesses say, in any order, twice, or not at all."""

import math
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.channel import Kind
from hostseal.core.session import (
    CLOSED_GRACE_SECONDS,
    KEPT,
    NO_CHANNEL_AFTER_SECONDS,
    WITNESS_GRACE_SECONDS,
    Name,
    Sessions,
    Witness,
    name_of,
)


def opened(audit: int | None = 7, leader: int = 100, port: int = 4022, **other: Any) -> dict[str, Any]:
    return {
        "user": "alice", "service": "sshd", "source": "10.0.0.1", "connection": f"10.0.0.1 {port} 10.0.0.2 22",
        "audit_session": audit, "login_uid": 1000, "logind_session": None, "key": None, "leader_pid": leader,
        "seen_by": "pam", **other,
    }  # fmt: skip


ALICE = opened()
NAME = name_of(ALICE)
LATER = 100.0 + WITNESS_GRACE_SECONDS


def journal(
    table: Sessions, leader: int = 100, client: str | None = None, *, detailed: bool = True
) -> Sessions:
    return table.witnessed(Name(leader=leader, client=client), "alice", "10.0.0.1", 100.0, detailed=detailed)


def test_a_name_is_taken_from_what_an_event_says() -> None:
    assert Name(leader=100, audit=7, client="10.0.0.1 4022") == NAME
    assert name_of({"leader_pid": 5, "audit_session": None, "connection": None}) == Name(leader=5)


def test_a_session_without_a_channel_is_silent_once_due() -> None:
    table = Sessions().opened(ALICE, 100.0)
    assert table.silent(100.0) == ()
    assert [known.name for known in table.silent(100.0 + NO_CHANNEL_AFTER_SECONDS)] == [NAME]
    assert table.next_due() == 100.0 + NO_CHANNEL_AFTER_SECONDS


def test_a_channel_settles_a_session() -> None:
    table = journal(Sessions().opened(ALICE, 100.0)).channel(NAME, 0, Kind.SHELL, 100.0)
    assert table.silent(1e9) == ()
    assert table.next_due() is None


def test_a_channel_that_is_seen_before_the_opening_counts() -> None:
    early = Sessions().channel(Name(leader=100, client="10.0.0.1 4022"), 0, Kind.COMMAND, 99.0)
    assert early.data(7) is None
    table = early.opened(ALICE, 100.0)
    assert table.data(7) == ALICE
    assert table.silent(1e9) == ()


def test_a_closed_session_waits_a_moment_for_the_journal_and_then_is_silent() -> None:
    table = Sessions().opened(ALICE, 100.0).closed(NAME, 100.5)
    assert table.silent(101.0) == ()
    assert len(table.silent(100.5 + CLOSED_GRACE_SECONDS)) == 1
    assert table.channel(NAME, 0, Kind.COMMAND, 100.6).silent(1e9) == ()


def test_a_session_given_up_is_not_silent() -> None:
    assert Sessions().opened(ALICE, 100.0).given_up(NAME).silent(1e9) == ()


def test_an_ended_session_is_known_until_the_table_is_full_and_leaves_before_an_open_one() -> None:
    ended = opened(audit=2, leader=2)
    table = Sessions().opened(opened(audit=1, leader=1), 1.0).opened(ended, 1.0).closed(name_of(ended), 2.0)
    assert table.data(2) == ended
    for number in range(3, KEPT + 2):
        table = table.opened(opened(audit=number, leader=number), 3.0)
    assert (table.data(1) is not None, table.data(2)) == (True, None)
    assert (len(table.rows), len(table.audits), len(table.leaders)) == (KEPT, KEPT, KEPT)


def test_sessions_without_an_audit_id_are_each_on_their_own() -> None:
    first, second = opened(None, 100, 1), opened(None, 101, 2)
    table = Sessions().opened(first, 1.0).opened(second, 1.0).channel(name_of(first), 0, Kind.COMMAND, 1.0)
    assert [known.name for known in table.silent(1e9)] == [name_of(second)]


def test_a_pid_that_is_used_again_is_another_session() -> None:
    first, second = opened(7, 100, 1), opened(8, 100, 2)
    table = Sessions().opened(first, 1.0).closed(name_of(first), 2.0).opened(second, 3.0)
    assert (table.data(7), table.data(8)) == (first, second)


def test_what_pam_said_is_not_overwritten_by_logind() -> None:
    found = opened(seen_by="logind", connection=None, source=None)
    for table in (
        Sessions().opened(ALICE, 1.0).opened(found, 2.0),
        Sessions().opened(found, 1.0).opened(ALICE, 2.0),
    ):
        assert table.data(7) == ALICE
        assert table.rows[0].seen_by == {Witness.PAM, Witness.LOGIND}


def test_pam_and_a_journal_that_names_channels_agree() -> None:
    table = journal(Sessions().opened(ALICE, 100.0))
    assert table.disagreeing(LATER) == ()


def test_a_session_that_pam_does_not_know_is_a_disagreement_after_a_grace() -> None:
    table = journal(Sessions())
    assert table.disagreeing(LATER - 1) == ()
    [known] = table.disagreeing(LATER)
    assert (known.missing, known.user, known.heard) == (Witness.PAM, "alice", {Witness.JOURNAL})
    assert "PAM hook has not reported" in known.disagreement
    assert table.settled([known.name]).disagreeing(1e9) == ()


def test_a_session_that_the_journal_does_not_know_is_a_disagreement() -> None:
    [known] = Sessions().opened(ALICE, 100.0).disagreeing(LATER)
    assert (known.missing, known.heard) == (Witness.JOURNAL, {Witness.PAM})
    assert "no line of root's sshd" in known.disagreement


def test_a_journal_that_cannot_name_channels_is_no_witness_of_their_absence() -> None:
    [known] = journal(Sessions().opened(ALICE, 100.0), detailed=False).disagreeing(LATER)
    assert (known.missing, known.heard) == (Witness.JOURNAL, {Witness.PAM})
    assert "do not name the session's channels" in known.disagreement


def test_a_session_from_the_record_is_not_compared() -> None:
    assert Sessions().opened(ALICE, 100.0, settled=True).disagreeing(1e9) == ()


def test_a_stronger_classification_is_news_and_a_weaker_one_is_not() -> None:
    table = Sessions().opened(ALICE, 1.0).channel(NAME, 0, Kind.COMMAND, 1.0)
    assert table.news(NAME, 0, Kind.INTERACTIVE_COMMAND)
    assert not table.news(NAME, 0, Kind.FORWARD)
    assert table.news(NAME, 1, Kind.FORWARD), "another channel of the same connection"
    assert table.news(NAME, None, Kind.SHELL)
    assert not table.news(NAME, None, Kind.COMMAND)
    assert table.channel(NAME, 0, Kind.FORWARD, 2.0).rows[0].channels == {0: Kind.COMMAND}


def test_a_terminal_whose_channel_is_known_is_no_news() -> None:
    table = Sessions().opened(ALICE, 1.0).channel(NAME, 0, Kind.COMMAND_WITH_PTY, 1.0)
    assert not table.news(NAME, None, Kind.SHELL)


@dataclass(frozen=True)
class Real:
    """One session as it is, of which the witnesses tell."""

    leader: int
    port: int
    audit: int | None
    kinds: tuple[Kind, ...]

    @property
    def data(self) -> dict[str, Any]:
        return opened(self.audit, self.leader, self.port)

    @property
    def client(self) -> str:
        return f"10.0.0.1 {self.port}"

    def messages(self) -> list["Message"]:
        found = {**self.data, "seen_by": "logind", "connection": None}
        channels = [Message(self, "channel", number, kind) for number, kind in enumerate(self.kinds)]
        return [
            Message(self, "pam"),
            Message(self, "accepted"),
            Message(self, "bare"),
            Message(self, "closed"),
            Message(self, "logind", data=found),
            *channels,
        ]


@dataclass(frozen=True)
class Message:
    """One thing that one witness says."""

    of: Real
    what: str
    number: int | None = None
    kind: Kind = Kind.FORWARD
    data: dict[str, Any] = field(default_factory=dict, compare=False)

    def tell(self, table: Sessions, now: float) -> Sessions:
        real = self.of
        match self.what:
            case "pam":
                return table.opened(real.data, now)
            case "accepted":
                return journal(table, real.leader, real.client, detailed=False)
            case "bare":
                return journal(table, real.leader)
            case "closed":
                return table.closed(name_of(real.data), now)
            case "logind":
                return table.opened(self.data, now)
            case _:
                # The kernel's audit id is in some lines and not in others.
                audit = real.audit if self.number == 0 else None
                name = Name(leader=real.leader, audit=audit, client=real.client)
                return table.channel(name, self.number, self.kind, now)


@st.composite
def stories(draw: st.DrawFn) -> list[Message]:
    """Messages of up to four sessions, some lost, some twice, in any order."""
    count = draw(st.integers(1, 4))
    audit = draw(st.booleans())
    kinds = st.lists(st.sampled_from(Kind), max_size=3).map(tuple)
    reals = [Real(100 + i, 4000 + i, 50 + i if audit else None, draw(kinds)) for i in range(count)]
    told = [message for real in reals for message in real.messages() if draw(st.booleans())]
    told += [message for message in told if draw(st.booleans())]
    return draw(st.permutations(told))


@given(stories())
def test_never_two_sessions_out_of_one_nor_one_out_of_two(told: list[Message]) -> None:
    table = Sessions()
    for now, message in enumerate(told):
        table = message.tell(table, float(now))
    makes = {m.of.leader for m in told if m.what != "closed"}
    assert sorted(known.name.leader or 0 for known in table.rows.values()) == sorted(makes)
    for known in table.rows.values():
        [real] = {m.of for m in told if m.of.leader == known.name.leader}
        assert known.name.audit in {None, real.audit}
        assert known.name.client in {None, real.client}


@given(stories())
def test_a_classification_is_never_weaker_than_what_was_seen(told: list[Message]) -> None:
    table = Sessions()
    for now, message in enumerate(told):
        table = message.tell(table, float(now))
        for known in table.rows.values():
            seen = [m for m in told[: now + 1] if m.what == "channel" and m.of.leader == known.name.leader]
            strongest = max((m.kind for m in seen), key=list(Kind).index, default=None)
            assert known.strongest is strongest
            assert set(known.channels) == {m.number for m in seen}
            assert not (seen and known in table.silent(math.inf))


@given(stories())
def test_the_order_of_messages_changes_nothing_of_what_is_known(told: list[Message]) -> None:
    def known(messages: list[Message]) -> dict[int | None, tuple[object, ...]]:
        table = Sessions()
        for message in messages:
            table = message.tell(table, 1.0)
        return {
            s.name.leader: (s.name, s.seen_by, dict(s.channels), s.missing, s.data)
            for s in table.rows.values()
        }

    told = [
        message for message in told if message.what != "closed"
    ]  # an end that comes before all else is not kept
    ordered = sorted(told, key=lambda m: (m.what, m.of.leader))
    assert known(told) == known(list(reversed(told))) == known(ordered)


@given(stories())
def test_exactly_the_sessions_that_a_witness_misses_disagree(told: list[Message]) -> None:
    table = Sessions()
    for message in told:
        table = message.tell(table, 100.0)
    by_pam = {m.of.leader for m in told if m.what == "pam"}
    by_journal = {m.of.leader for m in told if m.what in {"bare", "channel"}}
    everyone = {m.of.leader for m in told if m.what != "closed"}
    disagreeing = {known.name.leader for known in table.disagreeing(1e9)}
    assert disagreeing == everyone - (by_pam & by_journal)
