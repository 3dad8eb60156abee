"""What the processes of a session mean: commands in a channel, an old scp, another user."""

from msgspec.structs import replace

from hostseal.core.attribution import Confidence
from hostseal.core.channel import Kind
from hostseal.core.interactive import Stdin
from hostseal.core.processes import Change, Process, Use, changes_of_user, uses

SSHD = "/usr/sbin/sshd"
ALICE = 2001


def process(pid: int, parent: int, exe: str, *argv: str, uid: int = ALICE, **more: object) -> Process:
    values = {
        "pid": pid, "start": pid, "parent": parent, "uid": uid, "effective_uid": uid, "audit_session": 7,
        "login_uid": ALICE, "exe": exe, "argv": argv or (exe,), **more,
    }  # fmt: skip
    return Process(**values)  # type: ignore[arg-type]


MONITOR = process(10, 1, SSHD, "sshd: alice [priv]", uid=0)
CHILD = process(11, 10, SSHD, "sshd: alice@notty")
PIPED = {"stdin": Stdin.PIPE, "channel": "12:77"}


def table(*processes: Process) -> dict[int, Process]:
    return {one.pid: one for one in (MONITOR, CHILD, *processes)}


def test_a_shell_on_the_channels_own_pipe_is_exact() -> None:
    shell = process(12, 11, "/usr/bin/bash", "bash", "-i", **PIPED)
    assert list(uses(table(shell))) == [
        Use(
            kind=Kind.INTERACTIVE_COMMAND,
            program=shell,
            root=shell,
            login_shell=False,
            confidence=Confidence.EXACT,
        )
    ]


def test_a_shell_that_another_program_feeds_is_inferred() -> None:
    root = process(12, 11, "/usr/bin/bash", "bash", "-c", "cat | sh", **PIPED)
    fed = process(13, 12, "/usr/bin/dash", "sh", stdin=Stdin.PIPE, channel="12:99")
    (use,) = uses(table(root, fed))
    assert (use.program, use.root, use.confidence) == (fed, root, Confidence.INFERRED)


def test_a_shell_on_a_terminal_of_its_own_making_is_exact() -> None:
    root = process(12, 11, "/usr/bin/script", "script", "-qc", "bash", "/dev/null", **PIPED)
    (use,) = uses(table(root, process(13, 12, "/usr/bin/bash", "bash", stdin=Stdin.TTY, channel="9:3")))
    assert (use.root, use.confidence) == (root, Confidence.EXACT)


def test_what_is_piped_in_a_shell_on_a_terminal_is_no_news() -> None:
    root = process(12, 11, "/usr/bin/bash", "-bash", stdin=Stdin.TTY, channel="9:3")
    assert list(uses(table(root, process(13, 12, "/usr/bin/dash", "sh", **PIPED)))) == []


def test_a_program_whose_channel_has_ended_is_found_without_it() -> None:
    orphan = process(13, 1, "/usr/bin/bash", "bash", stdin=Stdin.SOCKET, channel="8:5")
    (use,) = uses(table(orphan))
    assert (use.root, use.named, use.confidence) == (None, (orphan,), Confidence.INFERRED)


def test_a_login_shell_is_told_apart_by_its_first_argument_only_where_sshd_started_it() -> None:
    root = process(12, 11, "/usr/bin/bash", "-bash", **PIPED)
    below = process(13, 12, "/usr/bin/bash", "-bash", **PIPED)
    assert [(use.program.pid, use.login_shell) for use in uses(table(root, below))] == [
        (12, True),
        (13, False),
    ]


def test_an_old_scp_is_a_channels_own_program_only() -> None:
    scp = process(12, 11, "/usr/bin/scp", "scp", "-t", ".", **PIPED)
    inside = process(12, 11, "/usr/bin/bash", "bash", "-c", "x", **PIPED)
    assert [use.kind for use in uses(table(scp))] == [Kind.SCP]
    assert list(uses(table(inside, process(13, 12, "/usr/bin/scp", "scp", "-t", ".", **PIPED)))) == []


def test_sudo_changes_the_user_of_what_it_runs_and_not_its_own() -> None:
    shell = process(12, 11, "/usr/bin/bash", "bash", "-c", "sudo -i", **PIPED)
    sudo = process(13, 12, "/usr/bin/sudo", "sudo", "-i", uid=0)
    assert list(changes_of_user(table(shell, sudo))) == []
    root = process(14, 13, "/usr/bin/bash", "-bash", uid=0)
    below = process(15, 14, "/usr/bin/cat", uid=0)
    assert set(changes_of_user(table(shell, sudo, root, below))) == {
        Change(pid=14, target=0, via="/usr/bin/sudo", confidence=Confidence.EXACT),
        Change(pid=15, target=0, via="/usr/bin/sudo", confidence=Confidence.EXACT),
    }


def test_the_nearest_program_changed_the_user() -> None:
    sudo = process(13, 11, "/usr/bin/sudo", "sudo", "su", "bob", uid=0)
    su = process(14, 13, "/usr/bin/su", "su", "bob", uid=0)
    changes = list(changes_of_user(table(sudo, su, process(15, 14, "/usr/bin/bash", "bash", uid=2002))))
    assert changes == [Change(pid=15, target=2002, via="/usr/bin/su", confidence=Confidence.EXACT)]


def test_who_changed_the_user_is_unknown_once_that_has_ended() -> None:
    changes = list(changes_of_user(table(process(14, 1, "/usr/bin/sleep", uid=0))))
    assert changes == [Change(pid=14, target=0, via=None, confidence=Confidence.INFERRED)]


def test_a_program_that_borrows_root_is_no_change_but_a_shell_is() -> None:
    passwd = process(12, 11, "/usr/bin/passwd", effective_uid=0)
    backdoor = process(13, 11, "/usr/bin/bash", "bash", "-p", effective_uid=0)
    assert list(changes_of_user(table(passwd, backdoor))) == [
        Change(pid=13, target=0, via="/usr/bin/bash", confidence=Confidence.EXACT)
    ]


def test_what_sshd_runs_itself_is_not_the_users() -> None:
    hook = process(12, 10, "/usr/bin/python3.11", "python3", "-ISE", "/opt/hostseal/libexec/pam-hook", uid=0)
    helper = process(13, 10, "/usr/bin/bash", "bash", uid=0, **PIPED)
    assert (list(uses(table(helper))), list(changes_of_user(table(hook, helper)))) == ([], [])


def test_roots_own_channel_is_roots() -> None:
    monitor = replace(MONITOR, login_uid=0)
    shell = process(12, 10, "/usr/bin/bash", "bash", uid=0, login_uid=0, **PIPED)
    assert [use.program for use in uses({10: monitor, 12: shell})] == [shell]
    assert list(changes_of_user({10: monitor, 12: shell})) == []


def test_without_a_login_uid_nobody_has_changed() -> None:
    assert list(changes_of_user(table(process(12, 11, "/usr/bin/sleep", uid=0, login_uid=None)))) == []


def test_parents_that_go_round_end() -> None:
    one = process(12, 13, "/usr/bin/bash", "bash", **PIPED)
    two = process(13, 12, "/usr/bin/bash", "bash", "-c", "x", **PIPED)
    assert [use.root for use in uses(table(one, two))] == [None]
