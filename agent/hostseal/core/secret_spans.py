"""Where the secrets are in a configuration's text, by its names and forms. Pure; rather one too many than one missed.

It knows names (`password = ...`), and forms that are secret wherever they stand. What has neither name nor form of its
own is left to the detectors of a library (:mod:`hostseal.core.redaction`).
"""

import base64
import re
from collections.abc import Iterator

from hostseal.core.secret_words import Meaning, is_public, is_spoken, meaning

Span = tuple[int, int]
_BLOCK = re.compile(
    r"-{4,5} ?BEGIN [^\n]*?(?:PRIVATE KEY|Static key)[^\n-]*-{4,5}(?P<body>.*?)"
    r"(?=-{4,5} ?END [^\n]*?(?:PRIVATE KEY|Static key)|\Z)",
    re.DOTALL,
)
_END_OF_BLOCK = re.compile(r"-{4,5} ?END [^\n]*?(?:PRIVATE KEY|Static key)")
_BODY_LINE = re.compile(r"[\s#;|>*\"'\\n]*[A-Za-z0-9+/=:,. -]{16,}[\s\"'\\n]*")
_PUTTY = re.compile(r"^Private-Lines:[ \t]*(?P<count>\d{1,4})[^\n]*\n", re.MULTILINE)
_FORMS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (
            r"\$(?:\d[a-z]?|2[abxy]|y|gy|7|md5|sha1|apr1|argon2[a-z]*|pbkdf2[\w-]*|scrypt|bcrypt[\w-]*)\$[^\s:\"']+",
            0,
        ),
        (r"\{(?:S?SHA|SMD5|MD5|CRYPT|PBKDF2|ARGON2|BLF-CRYPT)[\w.-]*\}[^\s:\"']+", re.IGNORECASE),
        (r"^[^\s:#]+:!*(?P<secret>[./A-Za-z0-9]{13})(?=:|$)", re.MULTILINE),
        (r"://[^\s:/@\"']{0,128}:(?P<secret>[^\s\"'<>`]{1,512})@", 0),
        (r"(?<![\w-])eyJ[\w=-]{8,}(?:\.[\w=+/-]*)+", 0),
        (r"AGE-SECRET-KEY-1[A-Z0-9]+", re.IGNORECASE),
        (r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}", 0),
        (r":[ \t]*PSK[ \t]+(?P<secret>[^\n]+)", re.IGNORECASE),
        (
            r"(?<![\w-])(?<!UUID=)(?<!UUID=\")[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])",
            re.IGNORECASE,
        ),
    )
)
_HEADER = re.compile(r"\b(?:bearer|basic|digest|negotiate|token)\s+(?P<secret>[^\s\"'<>]{8,})", re.IGNORECASE)
_USER_OF_URL = re.compile(r"://(?P<secret>[^\s/@:\"']{8,512})@")
_NAMED = re.compile(
    r"(?P<name>\w[\w.-]{0,63}+)(?P<closing>[\"'`\]})]{0,2})"
    r"(?P<sign>[ \t]*(?:::?=|\?=|\+=|=>|={1,3}|:(?!//))[ \t]*|[ \t]+)"
)
_XML = re.compile(r"<(?P<name>[\w.:-]+)(?:\s[^<>]*)?>(?P<secret>[^<]+)<", re.DOTALL)
_APART = re.compile(
    r"\b(?:name|key|id)[\"']?\s*[:=]\s*[\"']?(?P<name>[\w.-]+)[\"']?\s*(?:,\s*)?"
    r"(?:-\s*)?(?:[\"']?\bvalue[\"']?\s*[:=]\s*|>)(?P<secret>\"[^\"]*\"?|'[^']*'?|[^\n<]+)",
    re.IGNORECASE,
)
_PUBLIC_KEY = re.compile(r"(?P<type>(?:sk-)?(?:ssh|ecdsa)-[\w@.-]+)[ \t]+(?P<key>AAAA[0-9A-Za-z+/]+={0,3})")
_FILE_SYSTEM = re.compile(r"UUID=\"?(?P<id>[0-9A-Fa-f-]{4,36})")
_BEFORE_A_NAME = re.compile(
    r"[\s#;*/<>{\[(\"'`-]*(?:(?:export|set|local|declare|readonly|ENV|define)\s+)?[\"'`]?\Z"
)
_BLOCK_SCALAR = re.compile(r"[|>][-+0-9]*\s*(?:#.*)?\Z")
_WITHOUT_A_SIGN = re.compile(rb"/etc/(?:pam\.d/|sudoers)")
_OF_SUDO = frozenset({"NOPASSWD", "PASSWD"})
_NSSWITCH = rb"/etc/nsswitch.conf"
_REMARK = re.compile(r"\s[#;]")
_LONG = 256
_QUOTES = "\"'`"


def spans(text: str, path: bytes = b"") -> Iterator[Span]:
    """Yield where secrets are, as half-open ranges; they may overlap. `path` is the file's, for what is special of it.

    A range may be of several lines: a key's block, a quoted value, a value that goes on on the next line.
    """
    yield from _blocks(text)
    for form in (*_FORMS, _HEADER, _USER_OF_URL):
        guess = form in {_HEADER, _USER_OF_URL}
        for found in form.finditer(text):
            group = "secret" if "secret" in form.groupindex else 0
            if not (guess and is_spoken(found[group])):
                yield found.span(group)
    for found in (*_XML.finditer(text), *_APART.finditer(text)):
        if not is_public(found["secret"], meaning(found["name"])):
            yield found.span("secret")
    yield from _named(text, path)


def open_spans(text: str) -> list[Span]:
    """Return what looks random and is there to be seen: OpenSSH's public keys, file systems' ids (`UUID=`)."""
    keys = (found for found in _PUBLIC_KEY.finditer(text) if _is_of_type(found["key"], found["type"]))
    return [
        *(found.span("key") for found in keys),
        *(found.span("id") for found in _FILE_SYSTEM.finditer(text)),
    ]


def _is_of_type(key: str, kind: str) -> bool:
    try:
        blob = base64.b64decode(key + "=" * (-len(key) % 4), validate=True)
    except ValueError:
        return False
    length = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + length] == kind.encode()


def _blocks(text: str) -> Iterator[Span]:
    for block in _BLOCK.finditer(text):
        yield block.span("body")
    last = 0
    for end in _END_OF_BLOCK.finditer(text):
        # The beginning may have been taken out of the file: what stands above the end is still the key.
        start = above = end.start()
        while above > last:
            line = max(text.rfind("\n", last, above - 1) + 1, last)
            if "BEGIN" in text[line:above] or not _BODY_LINE.fullmatch(text[line:above].strip() or "-"):
                break
            above = line
        if above < start:
            yield above, start
        last = end.end()
    stop = 0
    for found in _PUTTY.finditer(text):
        if found.start() < stop:
            continue
        stop = found.end()
        for _ in range(int(found["count"])):
            stop = _end_of_line(text, stop) + 1
        yield found.end(), min(stop, len(text))


def _named(text: str, path: bytes) -> Iterator[Span]:
    beyond = 0
    for found in _NAMED.finditer(text):
        if found.start() < beyond:
            continue
        means = meaning(found["name"])
        if means is Meaning.NOTHING or not _counts(text, found, means, path):
            continue
        start = found.end()
        stop = _end_of_value(text, found)
        if start < stop and not _is_shown(text[start:stop], means):
            beyond = stop
            yield _without_quotes(text, start, stop)


def _is_shown(value: str, means: Meaning) -> bool:
    return len(value) <= _LONG and is_public(_REMARK.split(value)[0], means)


def _counts(text: str, found: re.Match[str], means: Meaning, path: bytes) -> bool:
    """Tell whether what stands here is a name with its value: `password hunter2` in prose is one, pam's is none."""
    if path == _NSSWITCH:
        return False
    if found["name"] in _OF_SUDO and found["sign"].strip() == ":":
        return False
    if found["sign"].strip():
        return True
    before = text[found.start() - 1 : found.start()]
    return means is Meaning.SECRET and before != "/" and not _WITHOUT_A_SIGN.match(path)


def _end_of_value(text: str, found: re.Match[str]) -> int:
    start = found.end()
    line_end = _end_of_line(text, start)
    line_start = text.rfind("\n", 0, found.start()) + 1
    around = text[found.start() - 1 : found.start()] if found.start() else ""
    first = text[start : start + 1]
    alone = _BEFORE_A_NAME.match(text, line_start, found.start()) is not None
    if first and first in _QUOTES:
        return _end_of_quoted(text, start, line_end)
    if around and around in _QUOTES and not found["closing"]:
        return _end_of_quoted(text, found.start() - 1, line_end)
    if _BLOCK_SCALAR.match(text, start, line_end):
        return _end_of_block(text, line_start, line_end)
    if not alone and found["sign"].strip():
        return start + len(re.match(r"\S*", text[start:line_end])[0])  # type: ignore[index]
    return _over_continuations(text, line_end)


def _end_of_quoted(text: str, start: int, line_end: int) -> int:
    """Return the end of a quoted value, also over several lines; where something stands right behind it, that too."""
    closing = re.compile(rf"(?:\\.|[^\\{text[start]}])*{text[start]}", re.DOTALL).match(text, start + 1)
    if closing is None:
        return line_end
    rest = re.compile(r"[^\s,;)\]}>]*").match(text, closing.end())
    return rest.end() if rest else closing.end()


def _end_of_block(text: str, line_start: int, line_end: int) -> int:
    """Return the end of the lines that are indented deeper than the one a YAML block scalar begins in."""
    depth = _indent(text[line_start:line_end])
    stop = line_end
    while stop < len(text):
        end = _end_of_line(text, stop + 1)
        line = text[stop + 1 : end]
        if line.strip() and _indent(line) <= depth:
            break
        stop = max(end, stop + 1)
    return min(stop, len(text))


def _over_continuations(text: str, line_end: int) -> int:
    while line_end < len(text) and text[line_end - 1] == "\\":
        line_end = _end_of_line(text, line_end + 1)
    return line_end


def _without_quotes(text: str, start: int, stop: int) -> Span:
    """Leave the quotes around a value in the text; its own are within."""
    first = text[start]
    if first in _QUOTES and stop - start > 1 and text[stop - 1] == first:
        return start + 1, stop - 1
    return start, stop


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
