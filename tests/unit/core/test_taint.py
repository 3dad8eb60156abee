"""What comes of what a session laid; and, for every sequence, that nobody is named who laid nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hostseal.core import taint
from hostseal.core.attribution import Confidence, ProcessFacts, Proof, Transient, confidence_of, key_of
from hostseal.core.persistence import Lays
from hostseal.core.roles import Process
from hostseal.core.taint import EVERYONE, Asked, Laid, Taint, jobs_of, source_of
from hostseal.core.units import unit_of

BOOT = "boot-1"
ALICE: dict[str, Any] = {"user": "alice", "audit_session": 12}
BOB: dict[str, Any] = {"user": "bob", "audit_session": 13}
CRON, AT = "/system.slice/cron.service", "/system.slice/atd.service"
MINE = "/user.slice/user-2001.slice/user@2001.service/app.slice/x.service"


def one(path: str, kind: Lays, session: dict[str, Any] = ALICE, **known: Any) -> Laid:
    return Laid(**{"path": path, "kind": kind, "session": session, "boot": BOOT, "at": 100.0, **known})


def table(text: str, path: str = "/etc/cron.d/evil", **known: Any) -> Laid:
    return one(path, Lays.CRON, jobs=jobs_of(text, path), **known)


def running(cgroup: str | None, *line: Process, **known: Any) -> ProcessFacts:
    facts: dict[str, Any] = {"pid": 9, "proof": Proof.ALIVE, "exe": "/usr/bin/dash", "uid": 0, "login_uid": 0}
    return ProcessFacts(
        **{**facts, "cgroup": cgroup, "unit": unit_of(cgroup), "line": line, "began": 200.0, **known}
    )


def started(*argv: str, stdin: str | None = None) -> Process:
    return Process(pid=9, exe="/usr/bin/dash", argv=argv, stdin=stdin)


def path_of(laid: Taint, facts: ProcessFacts, boot: str = BOOT) -> str | None:
    found = source_of(laid, facts, boot)
    return None if found is None else found.path


def having(*items: Laid) -> Taint:
    whole = Taint()
    for item in items:
        whole = taint.laid(whole, item)
    return whole


EVIL = table("* * * * * root sh -c 'echo x > /etc/x'\n")


@pytest.mark.parametrize(
    "line",
    [
        (started("/bin/sh", "-c", "sh -c 'echo x > /etc/x'"),),
        (started("tee", "/etc/x"), started("/bin/sh", "-c", "sh -c 'echo x > /etc/x'"), started("/usr/sbin/CRON")),
    ],
)  # fmt: skip
def test_a_job_is_known_by_its_command(line: tuple[Process, ...]) -> None:
    other = table("* * * * * root other", "/etc/cron.d/other", session=BOB)
    assert path_of(having(EVIL, other), running(CRON, *line)) == "/etc/cron.d/evil"


def test_a_shell_that_hands_its_place_on_is_known_by_what_it_runs() -> None:
    evil = table("@daily root /usr/local/bin/evil --now")
    assert (
        path_of(having(evil), running(CRON, started("/bin/sh", "/usr/local/bin/evil", "--now"))) == evil.path
    )


def test_a_script_of_a_cron_folder_is_known_by_its_path() -> None:
    daily = one("/etc/cron.daily/evil", Lays.CRON)
    assert path_of(having(daily), running(CRON, started("/bin/sh", daily.path))) == daily.path
    assert path_of(having(daily), running(CRON, started("/bin/sh", "/etc/cron.daily/dpkg"))) is None


def test_else_a_job_is_laid_to_the_table_of_its_user_only() -> None:
    own = table("* * * * * evil", "/var/spool/cron/crontabs/alice", uid=2001)
    gone = running(CRON, login_uid=2001, uid=2001)
    assert path_of(having(own), gone) == own.path
    assert path_of(having(own), running(CRON, login_uid=2002, uid=2002)) is None
    assert path_of(having(own), running(CRON, login_uid=0)) is None
    assert path_of(having(own), running("/system.slice/nginx.service", login_uid=2001)) is None


def test_an_at_job_is_known_by_its_input() -> None:
    job = one("/var/spool/cron/atjobs/a0000201c8ab58", Lays.AT_JOB, uid=0)
    other = one("/var/spool/cron/atjobs/a0000301c8ab58", Lays.AT_JOB, BOB, uid=0)
    run = started("sh", stdin=f"{job.path} (deleted)")
    assert path_of(having(job, other), running(AT, run)) == job.path
    not_laid = started("sh", stdin="/var/spool/cron/atjobs/a0000401c8ab58")
    assert path_of(having(job, other), running(AT, not_laid)) is None
    assert path_of(having(job, other), running(AT)) == other.path
    assert path_of(having(job), running(AT, login_uid=2001)) is None


UNIT = one("/etc/systemd/system/x.service", Lays.UNIT, unit="x.service")
OWN_UNIT = one("/home/alice/.config/systemd/user/x.service", Lays.UNIT, unit="x.service", manager=2001)


@pytest.mark.parametrize(
    ("item", "cgroup", "tied"),
    [
        (UNIT, "/system.slice/x.service", True),
        (UNIT, "/system.slice/y.service", False),
        (UNIT, MINE, False),
        (UNIT, "/system.slice/y.service/x.service", False),
        (OWN_UNIT, MINE, True),
        (OWN_UNIT, MINE.replace("2001", "2002"), False),
        (OWN_UNIT, "/system.slice/x.service", False),
        (replace(OWN_UNIT, manager=EVERYONE), MINE.replace("2001", "2002"), True),
        (replace(UNIT, unit="x@.service"), "/system.slice/system-x.slice/x@1.service", True),
    ],
)
def test_a_unit_by_the_name_that_its_own_manager_gave_it(item: Laid, cgroup: str, tied: bool) -> None:
    assert (path_of(having(item), running(cgroup)) is not None) is tied


def test_a_unit_that_ran_before_its_file_was_there_does_not_come_of_it() -> None:
    early = running("/system.slice/x.service", began=99.0)
    assert path_of(having(UNIT), early) is None
    assert path_of(having(UNIT), early, "the next boot") == UNIT.path


def test_an_artefact_stays_with_whom_it_was_until_its_content_changes() -> None:
    first, again = replace(UNIT, sha256="a"), replace(UNIT, sha256="a", session=BOB)
    assert having(first, again).items == (first,)
    assert having(first, replace(again, sha256="b")).items == (replace(again, sha256="b"),)


def test_what_is_put_where_another_thing_has_gone_is_the_new_ones_though_it_is_the_same() -> None:
    first, again = replace(UNIT, sha256="a"), replace(UNIT, sha256="a", session=BOB)
    left = taint.gone(having(first), UNIT.path)
    assert path_of(left, running("/system.slice/x.service")) == UNIT.path, "it may run still"
    assert taint.laid(left, again).items == (again,)
    assert taint.gone(left, "/etc/another") is left


def test_what_the_seal_says_again_is_forgotten() -> None:
    assert taint.restored(having(UNIT, EVIL), UNIT.path).items == (EVIL,)


def test_it_is_bounded_and_says_what_it_dropped() -> None:
    many = having(*(one(f"/etc/cron.d/e{n}", Lays.CRON) for n in range(taint.LIMIT + 5)))
    assert (len(many.items), many.dropped, many.items[0].path) == (taint.LIMIT, 5, "/etc/cron.d/e5")


def asking(session: dict[str, Any], at: float, uid: int | None = 2001, boot: str = BOOT) -> Asked:
    return Asked(session=session, boot=boot, at=at, uid=uid)


def made_at_run_time(cgroup: str = "/system.slice/run-1.service", made: float = 100.0) -> ProcessFacts:
    return running(cgroup, transient=Transient("/run/systemd/transient/run-1.service", made))


@pytest.mark.parametrize(
    ("asked", "cgroup", "tied"),
    [
        ((asking(ALICE, 99.0),), "/system.slice/run-1.service", True),
        ((asking(ALICE, 100.5),), "/system.slice/run-1.service", True),
        ((asking(ALICE, 90.0),), "/system.slice/run-1.service", False),
        ((asking(ALICE, 102.0),), "/system.slice/run-1.service", False),
        ((asking(ALICE, 99.0, boot="boot-0"),), "/system.slice/run-1.service", False),
        ((asking(ALICE, 99.0), asking(ALICE, 99.5)), "/system.slice/run-1.service", True),
        ((asking(ALICE, 99.0), asking(BOB, 99.5)), "/system.slice/run-1.service", False),
        ((asking(ALICE, 99.0), asking(BOB, 99.5, uid=2002)), MINE, True),
        ((asking(BOB, 99.5, uid=2002),), MINE, False),
        ((), "/system.slice/run-1.service", False),
    ],
)
def test_a_unit_made_at_run_time_is_laid_to_the_one_session_that_asked_for_it_just_then(
    asked: tuple[Asked, ...], cgroup: str, tied: bool
) -> None:
    whole = Taint()
    for one_ in asked:
        whole = taint.asked(whole, one_)
    found = source_of(whole, made_at_run_time(cgroup), BOOT)
    assert (found is not None) is tied
    if found is not None:
        assert (found.session, found.path, found.kind) == (
            ALICE,
            "/run/systemd/transient/run-1.service",
            "unit",
        )


def test_who_asked_is_bounded() -> None:
    whole = Taint()
    for n in range(taint.ASKED + 5):
        whole = taint.asked(whole, asking(ALICE, float(n)))
    assert [one_.at for one_ in whole.asked] == [float(n) for n in range(5, taint.ASKED + 5)]


def test_a_table_as_cron_reads_it() -> None:
    text = (
        "# a\nPATH=/bin\nMAILTO = root\n\n*/5 * * * * root a  b\n@reboot alice c \\% d % input\n* * * bad\n"
    )
    assert jobs_of(text, "/etc/cron.d/x") == (
        taint.Job("root", taint.digest("a  b")),
        taint.Job("alice", taint.digest("c % d ")),
    )
    assert jobs_of("* * * * * a b\n", "/var/spool/cron/crontabs/alice") == (
        taint.Job(None, taint.digest("a b")),
    )
    assert jobs_of("1 5 daily run x\n", "/etc/anacrontab") == (taint.Job(None, taint.digest("run x")),)
    assert len(jobs_of("* * * * * a\n" * 1000, "/var/spool/cron/alice")) == taint.JOBS


paths = st.sampled_from(["/etc/cron.d/a", "/var/spool/cron/crontabs/alice", "/etc/systemd/system/x.service"])
people = st.integers(1, 4).map(lambda n: {"user": f"u{n}", "audit_session": n})
artefacts = st.builds(
    Laid,
    path=paths,
    kind=st.sampled_from(list(Lays)),
    session=people,
    boot=st.sampled_from([BOOT, "boot-0"]),
    at=st.floats(0, 300),
    sha256=st.sampled_from([None, "a", "b"]),
    unit=st.sampled_from([None, "x.service", "x@.service"]),
    manager=st.sampled_from([None, EVERYONE, 2001]),
    uid=st.sampled_from([None, 0, 2001]),
    jobs=st.sampled_from([(), jobs_of("* * * * * root evil", "/etc/cron.d/a")]),
)
asks = st.builds(
    Asked, session=people, boot=st.just(BOOT), at=st.floats(95, 105), uid=st.sampled_from([0, 2001])
)
steps = st.lists(
    st.one_of(artefacts, asks, st.tuples(st.sampled_from(["restored", "gone"]), paths)), max_size=12
)
writers = st.builds(
    running,
    st.sampled_from([None, CRON, AT, MINE, "/system.slice/x.service", "/system.slice/x@1.service"]),
    st.sampled_from([started("sh", "-c", "evil"), started("sh", stdin="/etc/cron.d/a"), started()]),
    login_uid=st.sampled_from([None, 0, 2001]),
    uid=st.sampled_from([0, 2001]),
    began=st.one_of(st.none(), st.floats(0, 300)),
    proof=st.sampled_from(list(Proof)),
    transient=st.sampled_from([None, None, Transient("/run/systemd/transient/x.service", 100.0)]),
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(steps, writers)
def test_nobody_is_named_who_laid_nothing_and_no_tie_is_sure(history: list[Any], facts: ProcessFacts) -> None:
    whole, laid_by = Taint(), {}
    for step in history:
        if isinstance(step, Laid):
            whole = taint.laid(whole, step)
            laid_by.setdefault(step.path, []).append(step.session)
        elif isinstance(step, Asked):
            whole = taint.asked(whole, step)
            laid_by.setdefault("/run/systemd/transient/x.service", []).append(step.session)
        elif step[0] == "gone":
            whole = taint.gone(whole, step[1])
        else:
            whole = taint.restored(whole, step[1])
            laid_by.pop(step[1], None)
    found = source_of(whole, facts, BOOT)
    if found is None:
        return
    assert found.session in laid_by[found.path]
    assert facts.unit is not None
    key = key_of(facts, in_session=False, via=found.name)
    assert confidence_of(key, facts) is Confidence.INFERRED
    assert found.tie()["session"] == found.session
