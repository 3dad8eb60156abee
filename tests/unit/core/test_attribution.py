"""Who wrote: the cases of law 10 and of the audit session."""

import pytest

from hostseal.core.attribution import (
    UNKNOWN,
    Agreement,
    Confidence,
    ProcessFacts,
    Proof,
    Writer,
    WriterKey,
    WriterKind,
    action_of,
    confidence_of,
    key_of,
    weakest,
)

UNIT = "0b0f2c4e-6a53-4a0e-9f61-0d9f8f2f7c11"
VIM = ProcessFacts(pid=7, proof=Proof.ALIVE, exe="/usr/bin/vim", uid=0, audit_session=12, login_uid=1000)


def having(**changed: object) -> ProcessFacts:
    values = {name: getattr(VIM, name) for name in VIM.__struct_fields__}
    return ProcessFacts(**{**values, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cgroup",
    [
        f"/system.slice/hostseal-action@{UNIT}.service",
        f"/system.slice/system-hostseal\\x2daction.slice/hostseal-action@{UNIT}.service",
        f"/system.slice/system-hostseal\\x2daction.slice/hostseal-action@{UNIT}.service/payload",
    ],
)
def test_the_system_managers_action_unit_is_an_action(cgroup: str) -> None:
    assert action_of(cgroup) == UNIT


@pytest.mark.parametrize(
    "cgroup",
    [
        None,
        "",
        "/",
        "/system.slice/hostseal.service",
        "/system.slice/hostseal-action@.service",
        "/system.slice/hostseal-action@../../x.service",
        f"/system.slice/hostseal-action@{UNIT}.service.d",
        f"/user.slice/user-1000.slice/user@1000.service/app.slice/hostseal-action@{UNIT}.service",
        f"/user.slice/system.slice/hostseal-action@{UNIT}.service",
        f"/system.slice/cron.service/hostseal-action@{UNIT}.service",
    ],
)
def test_no_other_cgroup_is_an_action(cgroup: str | None) -> None:
    assert action_of(cgroup) is None


def test_an_action_comes_before_its_session() -> None:
    facts = having(cgroup=f"/system.slice/hostseal-action@{UNIT}.service")
    assert key_of(facts, in_session=True) == WriterKey(WriterKind.ACTION, UNIT)


def test_a_known_session_comes_before_the_executable() -> None:
    assert key_of(VIM, in_session=True) == WriterKey(WriterKind.SESSION, "12")


def test_an_audit_session_that_is_no_ssh_session_is_laid_to_the_executable() -> None:
    assert key_of(VIM, in_session=False) == WriterKey(WriterKind.EXECUTABLE, "/usr/bin/vim", 0)


@pytest.mark.parametrize("facts", [None, ProcessFacts(pid=7, proof=Proof.ALIVE, uid=0)])
def test_a_process_that_cannot_be_named_is_unknown_and_never_sure(facts: ProcessFacts | None) -> None:
    assert key_of(facts, in_session=False) == UNKNOWN
    assert confidence_of(UNKNOWN, facts) is Confidence.UNKNOWN


@pytest.mark.parametrize(("proof", "confidence"), [(Proof.ALIVE, "exact"), (Proof.JOINED, "inferred")])
def test_only_a_process_that_kept_its_pid_is_exact(proof: Proof, confidence: str) -> None:
    facts = having(proof=proof)
    assert confidence_of(key_of(facts, in_session=True), facts) == confidence


def test_a_set_is_as_sure_as_its_least_sure_change() -> None:
    assert weakest([Confidence.EXACT, Confidence.INFERRED]) is Confidence.INFERRED
    assert weakest([Confidence.EXACT, Confidence.UNKNOWN]) is Confidence.UNKNOWN
    assert weakest([Confidence.EXACT]) is Confidence.EXACT
    assert weakest([]) is Confidence.UNKNOWN


def test_a_writer_names_only_what_all_its_processes_share() -> None:
    key, agreement = WriterKey(WriterKind.SESSION, "12"), Agreement()
    agreement.add(VIM)
    assert agreement.writer(key) == Writer(kind=WriterKind.SESSION, exe="/usr/bin/vim", pid=7, uid=0)
    agreement.add(having(pid=8))
    assert agreement.writer(key) == Writer(kind=WriterKind.SESSION, exe="/usr/bin/vim", uid=0)
    agreement.add(having(pid=9, exe="/usr/bin/sed"))
    assert agreement.writer(key) == Writer(kind=WriterKind.SESSION, uid=0)
    agreement.add(VIM)
    assert agreement.writer(key) == Writer(kind=WriterKind.SESSION, uid=0)


def test_an_actions_writer_names_the_unit() -> None:
    assert Agreement().writer(WriterKey(WriterKind.ACTION, UNIT)) == Writer(
        kind=WriterKind.ACTION, action=UNIT
    )
