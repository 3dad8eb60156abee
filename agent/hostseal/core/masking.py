"""Hides secrets in a command's arguments. Pure; it knows common spellings, so it hides much and not all.

What it cannot know: a secret that stands for itself (`login alice hunter2`), or in a form of the program's own.
"""

import re
from collections.abc import Iterator, Sequence

HIDDEN = "***"
_WORD = (
    r"(?:pass(?:word|wd|phrase)?|pwd|token|secret|(?:api|access|private)[-_.]?key|key|credentials?"
    r"|auth(?:orization)?|bearer|cookie)"
)
# The last such word of a name counts, and what has matched is not tried again: the time grows with the argument alone.
_NAME = rf"(?>[\w.-]*{_WORD})\w*+"
_VALUE = r"\"[^\"]*\"?|'[^']*'?|[^\s&;,]+"
_ASSIGNED = re.compile(
    rf"(?P<name>(?<![\w.-])-{{0,2}}{_NAME}[\"']?)(?P<equals>\s*[=:]\s*)(?:{_VALUE})", re.IGNORECASE
)
_OPTION = re.compile(rf"--?{_NAME}\Z", re.IGNORECASE)
_HEADER = re.compile(r"(?P<scheme>\b(?:bearer|basic)\s+)\S+", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(?P<scheme>(?<![\w+.-])[a-z][a-z0-9+.-]*://[^\s/@:]*:)[^\s/@]+@", re.IGNORECASE)
_AFTER = re.compile(rf"(?P<option>(?<!\S)--?{_NAME}\s+)(?:[^\s-]\S*)", re.IGNORECASE)
_OF_PROGRAM = {
    "curl": frozenset({"-u", "--user", "-U", "--proxy-user"}),
    "ldapmodify": frozenset({"-w"}),
    "ldapsearch": frozenset({"-w"}),
    "mariadb": frozenset({"-p"}),
    "mysql": frozenset({"-p"}),
    "mysqldump": frozenset({"-p"}),
    "redis-cli": frozenset({"-a"}),
    "sshpass": frozenset({"-p"}),
}
"""Options of programs that hold a secret and do not say so; `-p` also where the value is part of the same word."""


def masked(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments with what follows names like password, token, secret or key replaced by `***`."""
    return tuple(_words(argv))


def _words(argv: Sequence[str]) -> Iterator[str]:
    hide, own = False, _OF_PROGRAM.get(argv[0].rpartition("/")[2], frozenset()) if argv else frozenset()
    for position, word in enumerate(argv):
        if hide and not word.startswith("--"):
            yield HIDDEN
            hide = False
        elif position and word[:2] in own and len(word) > 2 and not word.startswith("--"):  # noqa: PLR2004 - -pVALUE
            yield word[:2] + HIDDEN
        else:
            yield _within(word) if position else word
            hide = position > 0 and (word in own or _OPTION.match(word) is not None)


def _within(word: str) -> str:
    word = _IN_ADDRESS.sub(rf"\g<scheme>{HIDDEN}@", word)
    word = _HEADER.sub(rf"\g<scheme>{HIDDEN}", word)
    word = _ASSIGNED.sub(rf"\g<name>\g<equals>{HIDDEN}", word)
    return _AFTER.sub(rf"\g<option>{HIDDEN}", word)
