"""Reads what was recorded, one entry after the other: OPA's decision log as lines or arrays, the ledger's, cases.

A month of a fleet does not fit into memory, so no file is read whole; what is packed by gzip is unpacked on the way.
"""

import gzip
import json
import re
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import msgspec

from hostseal.errors import BadInputError
from hostseal.policy.question import NotAskedError, Question, read

ENTRY_BYTES = 1 << 24
"""No entry of a decision log is longer; OPA's own limit for one upload is far below."""
OBJECT_BYTES = 1 << 20
"""A `.json` below this may be one object over many lines: a case."""
_CHUNK = 1 << 16
_BETWEEN = " \t\r\n,[]"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""Half a character, perhaps without its other half: `json` takes that, and nobody can be asked about it."""
_CASES = frozenset({".yaml", ".yml"})


def questions(against: Path) -> Iterator[Question | NotAskedError]:
    """Yield what was asked, in the order of the files' names, and for each entry that is no question what it is.

    BadInputError for a file that cannot be opened.
    """
    files = sorted(path for path in against.rglob("*") if path.is_file()) if against.is_dir() else [against]
    for file in files:
        for where, value in _entries(file):
            if isinstance(value, NotAskedError):
                yield value
                continue
            try:
                yield read(value, where, file.parent)
            except NotAskedError as error:
                yield error


def _entries(file: Path) -> Iterator[tuple[str, Any]]:
    if file.suffix in _CASES:
        yield str(file), _yaml(file)
        return
    try:
        with file.open("rb") as start:  # once: what a pipe has given it does not give again
            packed = start.peek(2)[:2] == b"\x1f\x8b"
            stream = gzip.open(start) if packed else start  # noqa: SIM115 - it closes nothing of its own
            yield from _unpacked(file, cast("BufferedReader", stream), packed=packed)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield str(file), NotAskedError("malformed", f"the file is broken off: {error}", hint=str(file))
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror or error}", hint=str(file)) from error


def _unpacked(file: Path, stream: BufferedReader, *, packed: bool) -> Iterator[tuple[str, Any]]:
    if not packed and file.suffix == ".json" and file.stat().st_size < OBJECT_BYTES:
        one = _decoded(stream.read(), str(file))
        if isinstance(one, dict):
            yield str(file), one
            return
        stream.seek(0)
    if stream.peek(1).lstrip()[:1] == b"[":
        yield from _array(file, stream)
    else:
        yield from _lines(file, stream)


def _lines(file: Path, stream: BufferedReader) -> Iterator[tuple[str, Any]]:
    number = 0
    while line := stream.readline(ENTRY_BYTES):
        number += 1
        where = f"{file}:{number}"
        if len(line) == ENTRY_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(ENTRY_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield where, NotAskedError("malformed", "the line is too long", hint=where)
        elif line.strip():
            yield where, _decoded(line, where)


def _decoded(line: bytes, where: str) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return NotAskedError("malformed", f"this is not JSON: {error}", hint=where)


def _array(file: Path, stream: BufferedReader) -> Iterator[tuple[str, Any]]:
    """Yield the elements of an array, or of several after another, as they come."""
    text = getincrementaldecoder("utf-8")("replace")
    decoder, held, number, wanted = json.JSONDecoder(), "", 0, _CHUNK
    closed = False
    while True:
        rest = held.lstrip(_BETWEEN)
        between, held = held[: len(held) - len(rest)].rstrip(), rest
        closed = between.endswith("]") if between else closed
        where = f"{file}, entry {number + 1}"
        try:
            value, end = decoder.raw_decode(held)
        except (ValueError, RecursionError) as error:
            more = stream.read(wanted) if len(held) < ENTRY_BYTES else b""
            if not more:
                if held or not closed:
                    why = str(error) if held else "the array does not end"
                    yield where, NotAskedError("malformed", f"this is not JSON: {why}", hint=where)
                return
            held, wanted = held + text.decode(more), min(wanted * 2, ENTRY_BYTES)
            continue
        if _SURROGATE.search(held, 0, end):
            value = _decoded(held[:end].encode(), where)
        held, number, wanted = held[end:], number + 1, _CHUNK
        yield where, value


def _yaml(file: Path) -> Any:
    from hostseal.policy.plain_yaml import load

    try:
        return msgspec.json.decode(msgspec.json.encode(load(file.read_bytes())))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        return NotAskedError("malformed", str(error), hint=str(file))
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror or error}", hint=str(file)) from error
