"""Which programs read their commands from standard input. Pure: an executable and its arguments in, an answer out.

What a program is, is told by its executable file (/proc/PID/exe) and never by argv[0], which its caller chooses.
Only `busybox` and the dynamic loader are asked by their arguments too, for that is how they choose what to be.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

import msgspec

_VERSION = re.compile(r"[-.\d]+\Z")
_STDIN = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
_DELETED = " (deleted)"
_BUSYBOX = "busybox"
_LOADER = re.compile(r"ld(?:-linux\S*|-musl-\S*|\.so)\.\d+\Z|ld-\d\S*\.so\Z|ld\.so\Z")
_LOADER_TAKES = frozenset(
    {"--library-path", "--argv0", "--preload", "--audit", "--inhibit-rpath", "--glibc-hwcaps-prepend"}
)


class Stdin(StrEnum):
    """What a process's standard input is; `other` is a file, /dev/null, nothing, or what could not be read."""

    TTY = "tty"
    PIPE = "pipe"
    SOCKET = "socket"
    OTHER = "other"


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """How one program's arguments say where its commands come from (its manual page).

    `program`: options that carry the commands, or name what holds them. `argument`: options that take the next
    word, or the rest of theirs, and say nothing. `stdin`: options that read commands from standard input whatever
    else is given. A long option's value may follow `=`. Options end at the first other word, which is a script.
    """

    program: frozenset[str] = frozenset()
    argument: frozenset[str] = frozenset()
    stdin: frozenset[str] = frozenset()
    plus: bool = False
    always: bool = False


def _of(program: str, argument: str = "", stdin: str = "", **more: bool) -> Interpreter:
    return Interpreter(
        program=frozenset(program.split()),
        argument=frozenset(argument.split()),
        stdin=frozenset(stdin.split()),
        **more,
    )


_BOURNE = _of("c", "o O rcfile init-file emulate", "s", plus=True)
_C_SHELL = _of("c", "", "s i")
_PYTHON = _of("c m", "W X check-hash-based-pycs", "i")
INTERPRETERS = {
    **dict.fromkeys(
        ("sh", "bash", "rbash", "dash", "ash", "ksh", "ksh93", "lksh", "mksh", "posh", "yash", "zsh"), _BOURNE
    ),
    **dict.fromkeys(("csh", "bsd-csh", "tcsh"), _C_SHELL),
    "fish": _of("c command", "C init-command o d debug D f features profile", "i interactive"),
    "python": _PYTHON,
    "pypy": _PYTHON,
    "perl": _of("e E v V", "I", "d"),
    "ruby": _of("e v version", "I r C E", ""),
    "node": _of("e eval p print v version", "r require import input-type", "i interactive"),
    "nodejs": _of("e eval p print v version", "r require import input-type", "i interactive"),
    "php": _of("r f B R v i m", "c d z", "a interactive"),
    "lua": _of("e", "l", "i"),
    "tclsh": _of("", "encoding", ""),
    **dict.fromkeys(
        ("irb", "ipython", "bpython", "ghci", "jshell", "erl", "psysh", "xonsh"), _of("", always=True)
    ),
}
"""By the executable's name without its version. What is not here is not seen (docs/reference/session-story.md)."""

# Options whose value, if it has one, is always the rest of the same word.
_ATTACHED = {"perl": frozenset("0CDFMilmx"), "ruby": frozenset("0FKTWix")}
_INFORM = frozenset({"help", "version"})
_PYTHON_CONSOLES = frozenset({"code", "IPython", "pdb", "ptpython", "bpython", "asyncio"})


def may_interpret(exe: str) -> bool:
    """Return whether a program could be one of :data:`INTERPRETERS`, its arguments not being known."""
    name = _base(exe.removesuffix(_DELETED))
    return name == _BUSYBOX or _known(name) is not None


def name_of(exe: str, argv: Sequence[str]) -> str | None:
    """Return the name in :data:`INTERPRETERS` of the program that `exe` (/proc/PID/exe) is, None when it is none."""
    return _known(_program(exe, argv)[0])


def interactive(exe: str, argv: Sequence[str], stdin: Stdin) -> bool:
    """Return whether a process takes its commands from whoever holds the other end of its standard input.

    No arguments at all, not even a first one, means that they were not seen: the kernel shows none while it starts a program.
    """
    if not argv:
        return False
    program, words = _program(exe, argv)
    name = _known(program)
    return name is not None and stdin is not Stdin.OTHER and reads_commands(name, words)


def _program(exe: str, argv: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the name of what runs and its arguments: the loader's and busybox's own choice lies in their arguments."""
    name, words = _base(exe.removesuffix(_DELETED)), argv[1:]
    if _LOADER.match(name):
        while words and words[0].startswith("-"):
            words = words[2 if words[0] in _LOADER_TAKES else 1 :]
        return _base(words[0]) if words else "", words[1:]
    if name == _BUSYBOX:
        applet = _base(argv[0]).removeprefix("-") if argv else ""
        if applet == _BUSYBOX:
            return words[0] if words else "", words[1:]
        return applet, words
    return name, words


def _known(name: str) -> str | None:
    if name in INTERPRETERS:
        return name
    plain = _VERSION.sub("", name)
    return plain if plain in INTERPRETERS else None


def reads_commands(name: str, words: Sequence[str]) -> bool:
    """Return whether the interpreter of that name, started with these arguments, reads commands from standard input."""
    how = INTERPRETERS[name]
    if how.always:
        return True
    carried, forced, position = False, False, 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "--" or (word == "-" and how.plus):
            break
        if word in _STDIN:
            return True
        if not word.startswith("-") and not (how.plus and word.startswith("+")):
            position -= 1
            break
        found = _long(how, word) if word.startswith("--") or _is_word(how, word) else _short(name, how, word)
        if found.informs:
            return False
        forced |= found.forces
        position += found.takes_next
        if (
            found.carries and how.plus
        ):  # a Bourne shell's -c is a switch: the commands are the first other word
            carried = True
        elif found.carries:
            value = found.value or (
                words[position - 1] if found.takes_next and position <= len(words) else ""
            )
            return forced or _later(how, words[position:]) or _console(name, found.option, value)
    if carried:
        return False
    script = words[position] if position < len(words) else None
    return forced or script is None or script in _STDIN


class _Option(msgspec.Struct, frozen=True):
    option: str = ""
    value: str = ""
    carries: bool = False
    forces: bool = False
    informs: bool = False
    takes_next: bool = False


def _long(how: Interpreter, word: str) -> _Option:
    option, equals, value = word.lstrip("-").partition("=")
    takes = not equals and option in how.program | how.argument
    return _Option(
        option,
        value,
        carries=option in how.program,
        forces=option in how.stdin,
        informs=option in _INFORM,
        takes_next=takes,
    )


def _is_word(how: Interpreter, word: str) -> bool:
    """Tell whether a word with one dash is one long option, as tclsh's -encoding and bash's -rcfile."""
    return len(word) > 2 and word.lstrip("-+") in how.argument  # noqa: PLR2004 - a dash and one letter


def _short(name: str, how: Interpreter, word: str) -> _Option:
    forces = carries = takes_next = False
    for place, letter in enumerate(word[1:], 2):
        rest = word[place:]
        if how.plus:
            carries |= letter in how.program
            forces |= letter in how.stdin
            takes_next |= letter in how.argument
        elif letter in how.program:
            return _Option(letter, rest, carries=True, forces=forces, takes_next=not rest)
        elif letter in how.argument:
            return _Option(letter, rest, forces=forces, takes_next=not rest)
        elif letter in how.stdin:
            forces = True
        if letter in _ATTACHED.get(name, ()):
            break
    return _Option(word, carries=carries, forces=forces, takes_next=takes_next)


def _later(how: Interpreter, words: Sequence[str]) -> bool:
    """Options after one that carries commands still count where they may stand there (node -e 1 -i)."""
    return "interactive" in how.stdin and bool({"-i", "--interactive"} & set(words))


def _console(name: str, option: str, value: str) -> bool:
    """Tell whether `python -m` runs a console."""
    return option == "m" and INTERPRETERS[name] is _PYTHON and value in _PYTHON_CONSOLES


def _base(path: str) -> str:
    return path.rpartition("/")[2]
