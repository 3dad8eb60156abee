"""Which programs take their commands from standard input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core.interactive import INTERPRETERS, Stdin, interactive, may_interpret, name_of, reads_commands

OPEN = [Stdin.TTY, Stdin.PIPE, Stdin.SOCKET]
BASH, PYTHON, PERL = "/usr/bin/bash", "/usr/bin/python3.11", "/usr/bin/perl"

TAKES_COMMANDS = [
    (BASH, "bash"),
    (BASH, "bash -i"),
    (BASH, "-bash"),
    (BASH, "sleep"),
    (BASH, "bash -s one two"),
    (BASH, "bash -li"),
    (BASH, "bash -eo pipefail"),
    (BASH, "bash +x"),
    (BASH, "bash --rcfile /tmp/rc"),
    (BASH, "bash -rcfile /tmp/rc"),
    (BASH, "bash --norc --noprofile"),
    (BASH, "bash -"),
    (BASH, "bash --"),
    (BASH, "bash /dev/stdin"),
    (BASH, "bash /proc/self/fd/0"),
    ("/usr/bin/bash (deleted)", "bash"),
    ("/usr/bin/dash", "sh"),
    ("/usr/bin/zsh-5.9", "zsh -f"),
    ("/usr/bin/fish", "fish"),
    ("/usr/bin/tcsh", "tcsh -f"),
    ("/usr/bin/busybox", "sh"),
    ("/usr/bin/busybox", "-ash"),
    ("/usr/bin/busybox", "busybox sh"),
    ("/usr/bin/busybox", "/bin/busybox ash -i"),
    ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "ld.so /bin/bash -i"),
    ("/usr/lib/x86_64-linux-gnu/ld-2.31.so", "ld.so --library-path /tmp /bin/sh"),
    (PYTHON, "python3"),
    (PYTHON, "python3 -i"),
    (PYTHON, "python3 -"),
    (PYTHON, "python3 -ISE"),
    (PYTHON, "python3 -W error -X dev"),
    (PYTHON, "python3 -i -c x=1"),
    (PYTHON, "python3 -ic x=1"),
    (PYTHON, "python3 -im http.server"),
    (PYTHON, "python3 -m code"),
    (PYTHON, "python3 -mcode"),
    (PYTHON, "python3 -i /root/x.py"),
    (PERL, "perl"),
    (PERL, "perl -"),
    (PERL, "perl -de0"),
    ("/usr/bin/ruby3.1", "ruby"),
    ("/usr/bin/irb", "irb --simple-prompt"),
    ("/usr/bin/node", "node"),
    ("/usr/bin/node", "node -i -e 1"),
    ("/usr/bin/node", "node -e 1 -i"),
    ("/usr/bin/php8.2", "php -a"),
    ("/usr/bin/lua5.4", "lua"),
    ("/usr/bin/tclsh8.6", "tclsh"),
]

TAKES_NONE = [
    (BASH, "bash -c id"),
    (BASH, "bash -ic id"),
    (BASH, "bash -c -i id"),
    (BASH, "bash -ec id"),
    (BASH, "bash /root/x.sh -i"),
    (BASH, "bash -eo pipefail /root/x.sh"),
    (BASH, "bash --version"),
    ("/usr/bin/busybox", "busybox ls"),
    ("/usr/bin/busybox", "ls"),
    ("/usr/bin/busybox", ""),
    ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "ld.so /bin/ls"),
    ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "ld.so"),
    (PYTHON, "python3 -c x=1"),
    (PYTHON, "python3 -Ic x=1"),
    (PYTHON, "python3 -m http.server"),
    (PYTHON, "python3 /root/x.py -i"),
    (PYTHON, "python3 -ISE /opt/hostseal/libexec/pam-hook"),
    (PERL, "perl -ne print"),
    (PERL, "perl -i.bak -pe s/a/b/ file"),
    (PERL, "perl /usr/bin/script.pl"),
    ("/usr/bin/node", "node server.js"),
    ("/usr/bin/node", "node --eval 1"),
    ("/usr/bin/php8.2", "php -r echo(1);"),
    ("/usr/bin/sleep", "bash -i"),
    ("/usr/lib/openssh/sftp-server", "-bash"),
    ("/usr/bin/bashful", "bash -i"),
    (BASH, ""),
    (BASH, "bash -oc pipefail id"),
]


@pytest.mark.parametrize(("exe", "argv"), TAKES_COMMANDS)
@pytest.mark.parametrize("stdin", OPEN)
def test_it_takes_commands(exe: str, argv: str, stdin: Stdin) -> None:
    assert interactive(exe, tuple(argv.split()), stdin)


@pytest.mark.parametrize(("exe", "argv"), TAKES_NONE)
@pytest.mark.parametrize("stdin", OPEN)
def test_it_takes_none(exe: str, argv: str, stdin: Stdin) -> None:
    assert not interactive(exe, tuple(argv.split()), stdin)


@pytest.mark.parametrize(("exe", "argv"), TAKES_COMMANDS)
def test_from_a_file_nobody_gives_commands(exe: str, argv: str) -> None:
    assert not interactive(exe, tuple(argv.split()), Stdin.OTHER)


def test_an_empty_first_argument_is_one() -> None:
    assert interactive(BASH, [""], Stdin.PIPE)


words = st.lists(
    st.text(max_size=12) | st.sampled_from(["-i", "-c", "-s", "-", "--", "-o", "--rcfile", "x", "-ic"])
)


@given(st.sampled_from(sorted(INTERPRETERS)), words, st.sampled_from(Stdin))
def test_any_arguments_have_an_answer(name: str, argv: list[str], stdin: Stdin) -> None:
    assert interactive(f"/usr/bin/{name}", argv, stdin) in {True, False}


@given(st.text(), words, st.sampled_from(Stdin))
def test_only_what_may_interpret_is_interactive(exe: str, argv: list[str], stdin: Stdin) -> None:
    if interactive(exe, argv, stdin) and not exe.rpartition("/")[2].startswith("ld"):
        assert may_interpret(exe)


@given(st.text(max_size=20), st.sampled_from(["bash", "python3", "perl"]))
def test_the_first_argument_cannot_hide_a_program(argv0: str, name: str) -> None:
    assert interactive(f"/usr/bin/{name}", [argv0], Stdin.PIPE)
    assert name_of("/usr/bin/sleep", [f"/usr/bin/{name}"]) is None


plain_options = st.lists(st.sampled_from(["-e", "-x", "-u", "-l", "--norc", "--posix"]), max_size=5)


@given(plain_options, st.text(alphabet="abc/", min_size=1, max_size=8))
def test_a_shell_given_a_script_or_commands_reads_no_others(options: list[str], script: str) -> None:
    assert not reads_commands("bash", [*options, script])
    assert not reads_commands("bash", [*options, "-c", script])
    assert reads_commands("bash", [*options, "-s", script])
    assert reads_commands("bash", options)
