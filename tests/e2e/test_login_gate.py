"""The login gate on a booted host: when it refuses, whom, and how they read it."""

import subprocess
from dataclasses import replace

import pytest

from e2e import record
from e2e.guarded import HOW, Guarded
from lab_site import install

pytest_plugins = ["e2e.gate_fixture"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

REFUSAL = "Refused: alice logs in without break-glass, and gate-one is immutable."
UNASKED = "Refused: Hostseal's policy cannot be asked on this host now."
CONFIRM = f"sudo {record.HOSTSEAL} gate confirm"
STOP_AGENT = "systemctl stop hostseal.socket hostseal.service"
START_AGENT = "systemctl start hostseal.socket hostseal.service"


def test_in_mode_enforce_nobody_is_refused_before_break_glass_has_worked(guarded: Guarded) -> None:
    before = record.last_seq(guarded.host)
    assert guarded.state() == "off"
    assert guarded.ssh("alice", "echo in").stdout == "in\n"
    assert guarded.ssh("deploy", CONFIRM).returncode == 2
    assert not [r for r in record.events(guarded.host, before) if r["event"]["type"] == "login.refused"]


def test_a_drill_starts_a_trial_which_only_a_new_connection_confirms(guarded: Guarded) -> None:
    before = record.last_seq(guarded.host)
    words = guarded.host.ssh_args("deploy")
    with subprocess.Popen(
        [*words, "sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as older:
        record.wait_for(guarded.host, before, "session.channel", lambda data: data["user"] == "deploy")
        guarded.prove()
        changed = record.wait_for(guarded.host, before, "gate.changed")
        assert (changed["event"]["data"]["before"], changed["event"]["data"]["state"]) == ("off", "trial")
        said, _ = older.communicate(f"{CONFIRM}\n", timeout=30)
    assert "older than the trial" in said
    assert guarded.state() == "trial"
    assert REFUSAL in guarded.ssh("alice", "true").stderr
    assert "trial" in guarded.host.peek([record.HOSTSEAL, "status"], check=False).stdout
    assert "armed" in guarded.ssh("deploy", CONFIRM).stdout
    assert guarded.state() == "armed"
    assert record.standing(guarded.host) == "sealed", "a drill costs nothing"


def test_a_trial_that_nobody_confirms_reverts_by_itself(guarded: Guarded) -> None:
    guarded.disarm()
    guarded.settings(revert_seconds=3)
    before = record.last_seq(guarded.host)
    guarded.prove()
    record.wait_for(
        guarded.host, before, "gate.changed", lambda data: data["cause"] == "nobody confirmed it in time"
    )
    assert guarded.ssh("alice", "true").returncode == 0
    guarded.settings(revert_seconds=600)


CLIENTS = [
    pytest.param(("ssh",), ("true",), None, id="command"),
    pytest.param(("ssh", "-tt"), (), "exit\n", id="terminal"),
    pytest.param(("ssh", "-T"), (), "exit\n", id="shell without a terminal"),
    pytest.param(("sftp", "-b", "-"), (), "pwd\n", id="sftp"),
    pytest.param(("ssh", "-N"), (), None, id="no channel"),
    pytest.param(("ssh", "-W", "127.0.0.1:22"), (), None, id="forward"),
]


@pytest.mark.parametrize(("program", "command", "given"), CLIENTS)
def test_who_is_refused_reads_why_and_how_to_ask_and_no_protocol_is_broken(
    guarded: Guarded, program: tuple[str, ...], command: tuple[str, ...], given: str | None
) -> None:
    guarded.arm()
    before = record.last_seq(guarded.host)
    done = guarded.ssh("alice", *command, program=program, given=given)
    assert (done.returncode, done.stdout) == (255, "")
    assert f"{REFUSAL} {HOW}" in done.stderr
    assert "Received message too long" not in done.stderr
    refused = record.wait_for(guarded.host, before, "login.refused")
    assert (refused["event"]["data"]["by"], refused["event"]["data"]["phase"]) == ("policy", "account")
    assert not [r for r in record.events(guarded.host, before) if r["event"]["type"] == "session.opened"]


def test_break_glass_is_admitted_once_and_its_price_is_read_at_the_login(guarded: Guarded) -> None:
    guarded.arm()
    key, before = guarded.certificate(), record.last_seq(guarded.host)
    done = guarded.ssh("alice", "echo in", key=key)
    assert (done.returncode, done.stdout) == (0, "in\n")
    assert "alice logs in by break-glass" in done.stderr
    assert "This host will be replaced by 20" in done.stderr
    channel = record.wait_for(guarded.host, before, "session.channel")
    assert "flag" in channel["decision"]["actions"]
    incident = record.status(guarded.host)["standing"]["incident"]
    named = done.stderr.split("will be replaced by ")[1].split(" UTC")[0]
    assert incident["deadline"].replace("T", " ")[:16] == named[:16]
    again = guarded.ssh("alice", "echo in", key=key)
    assert (again.returncode, again.stdout) == (255, "")
    assert "used on this host before" in again.stderr


def test_files_go_through_a_break_glass_login_untouched(guarded: Guarded) -> None:
    guarded.arm()
    done = guarded.ssh("alice", key=guarded.certificate(), program=("sftp", "-b", "-"), given="pwd\n")
    assert done.returncode == 0, done.stderr
    assert "/home/alice" in done.stdout


def test_an_automation_account_with_a_strangers_key_is_ended_in_the_session_phase(guarded: Guarded) -> None:
    guarded.arm()
    host, stranger = guarded.host, guarded.folder / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True, timeout=30)
    public = stranger.with_suffix(".pub").read_text()
    host.peek(["sh", "-c", "cat >> /home/deploy/.ssh/authorized_keys"], input=public)
    known = subprocess.run(
        ["ssh-keygen", "-lf", host.key("deploy")], check=True, capture_output=True, text=True, timeout=30
    )
    automation = {"accounts": ["deploy"], "key_fingerprints": [known.stdout.split()[1]]}
    strict = replace(guarded.site, data={**guarded.site.data, "automation": automation})
    install(strict, [host], only=["opa"])
    flagged = record.standing(host) == "flagged"
    try:
        assert guarded.ssh("deploy", "true").returncode == 0
        for program, command in ((("ssh",), ("echo in",)), (("ssh", "-N"), ()), (("sftp", "-b", "-"), ())):
            before = record.last_seq(host)
            done = guarded.ssh("deploy", *command, key=stranger, program=program, given="pwd\n")
            assert (done.returncode, done.stdout) == (255, "")
            assert "Received message too long" not in done.stderr
            refused = record.wait_for(host, before, "login.refused")
            assert refused["event"]["data"]["phase"] == "session"
            assert refused["decision"]["actions"] == ([] if flagged else ["lift"])
            audit = refused["event"]["data"]["audit_session"]
            gone = f"! grep -lx {audit} /proc/[0-9]*/sessionid"
            record.wait_until(
                lambda gone=gone: host.peek(["bash", "-c", gone], check=False).returncode == 0,
                what="it is over",
            )
    finally:
        install(guarded.site, [host], only=["opa"])
    assert not record.status(host)["standing"]["suspicions"]


def test_another_module_that_refuses_after_ours_leaves_no_suspicion(guarded: Guarded) -> None:
    guarded.disarm()
    for phase in ("account", "session"):
        before = record.last_seq(guarded.host)
        after_ours = (
            f"cp /etc/pam.d/sshd /run/other-stack; echo '{phase} required pam_deny.so' >> /run/other-stack;"
        )
        with guarded.broken(
            f"{after_ours} mount --bind /run/other-stack /etc/pam.d/sshd", "umount /etc/pam.d/sshd"
        ):
            assert guarded.ssh("alice", "true").returncode != 0
        record.wait_for(guarded.host, before, "login.requested")
        record.wait_until(
            lambda: not record.status(guarded.host)["standing"]["suspicions"], what="nothing stays suspect"
        )


def test_a_user_that_does_not_exist_is_refused_by_sshd_and_breaks_nothing(guarded: Guarded) -> None:
    guarded.arm()
    _, *options, target = guarded.host.ssh_args("alice")
    nobody = f"no-such-user@{target.partition('@')[2]}"
    done = subprocess.run(
        ["ssh", *options, nobody, "true"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (255, "")
    assert guarded.ssh("deploy", "true").returncode == 0
