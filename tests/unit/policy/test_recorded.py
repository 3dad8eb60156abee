"""Reading what was recorded: every form of it, in pieces, and what is broken named by its place."""

import gzip
import json
import os
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostseal.errors import BadInputError
from hostseal.policy import recorded
from hostseal.policy.question import NotAskedError, Question


def entry(number: int) -> dict[str, Any]:
    event = {"type": "session.opened", "host": {"name": f"web-{number}"}, "data": {"user": "a [b], {c}"}}
    asked = {"event": event, "standing": {"state": "sealed", "incident": None}}
    return {"decision_id": f"d{number}", "path": "hostseal/event/decision", "input": asked, "result": None}


def hosts(path: Path) -> list[str]:
    return [one.about if isinstance(one, Question) else one.message for one in recorded.questions(path)]


LINES = "".join(f"{json.dumps(entry(number))}\n" for number in range(3)).encode()
ARRAY = json.dumps([entry(number) for number in range(3)], indent=1).encode()
WANTED = ["web-0", "web-1", "web-2"]


@pytest.mark.parametrize(
    "content", [LINES, ARRAY, ARRAY.replace(b"\n", b""), b"\n\n" + LINES, b" \n" + ARRAY]
)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["decisions.jsonl", "decisions.json", "decisions"])
def test_lines_and_arrays_are_read_packed_or_not(
    tmp_path: Path, content: bytes, packed: bool, name: str
) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(content) if packed else content)
    assert hosts(file) == WANTED


def test_arrays_after_another_are_read_as_opa_uploads_them(tmp_path: Path) -> None:
    (tmp_path / "uploads.gz").write_bytes(gzip.compress(ARRAY) + gzip.compress(b"[]" + ARRAY))
    assert hosts(tmp_path / "uploads.gz") == WANTED * 2


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/2.jsonl").write_text(json.dumps(entry(2)))
    (tmp_path / "a.jsonl").write_text(json.dumps(entry(1)))
    assert hosts(tmp_path) == ["web-1", "web-2"]


def test_entries_cut_by_the_edge_of_a_read_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "_CHUNK", 7)
    (tmp_path / "log").write_bytes(ARRAY)
    assert hosts(tmp_path / "log") == WANTED


def test_a_line_that_is_no_json_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    file = tmp_path / "decisions.jsonl"
    file.write_bytes(b"http: TLS handshake error\n" + LINES + b'{"decision_id": "cut')
    first, *middle, last = recorded.questions(file)
    assert isinstance(first, NotAskedError)
    assert isinstance(last, NotAskedError)
    assert (first.kind, first.hint, last.hint) == ("malformed", f"{file}:1", f"{file}:5")
    assert [one.about for one in middle if isinstance(one, Question)] == WANTED


@pytest.mark.parametrize(
    "content", [b"[", ARRAY[:-1], ARRAY[:-20], gzip.compress(LINES)[:-9], gzip.compress(ARRAY)[:-9]]
)
def test_a_file_that_breaks_off_gives_what_it_has_and_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log").write_bytes(content)
    *whole, last = recorded.questions(tmp_path / "log")
    assert isinstance(last, NotAskedError)
    assert last.kind == "malformed"
    assert all(isinstance(one, Question) for one in whole)


def test_a_line_longer_than_any_entry_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "ENTRY_BYTES", 500)
    (tmp_path / "log").write_bytes(b'{"x": "' + b"y" * 2000 + b'"}\n' + LINES)
    assert hosts(tmp_path / "log") == ["the line is too long", *WANTED]


def test_deep_nesting_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b'{"a":' * 100_000 + b"\n" + LINES)
    (tmp_path / "array").write_bytes(b"[" + b'{"a":' * 100_000)
    assert hosts(tmp_path / "lines")[1:] == WANTED
    assert all(isinstance(one, NotAskedError) for one in recorded.questions(tmp_path / "array"))


def test_a_case_is_one_object_in_yaml_or_over_many_lines_of_json(tmp_path: Path) -> None:
    case = {"input": entry(4)["input"], "decision": {"allowed": True}}
    (tmp_path / "1.json").write_text(json.dumps(case, indent=2))
    (tmp_path / "2.yaml").write_text(
        "input:\n  event: {type: x, time: 2026-01-02T03:04:05Z, host: {name: web-5}, data: {}}\ndecision: {}\n"
    )
    (tmp_path / "3.yaml").write_text("input: [\n")
    one, two, three = recorded.questions(tmp_path)
    assert isinstance(one, Question)
    assert isinstance(two, Question)
    assert isinstance(three, NotAskedError)
    assert (one.about, two.about, two.input["event"]["time"]) == ("web-4", "web-5", "2026-01-02T03:04:05Z")
    assert three.message.startswith("this is not YAML: ")
    assert three.hint == str(tmp_path / "3.yaml")


@pytest.mark.parametrize("content", [LINES * 500, gzip.compress(LINES * 500), ARRAY * 500])
def test_a_pipe_loses_nothing(tmp_path: Path, content: bytes) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert hosts(pipe) == WANTED * 500
    writer.join()


@pytest.mark.parametrize("name", ["log.json", "log.jsonl", "case.yaml"])
def test_half_a_character_is_malformed_and_a_whole_one_is_not(tmp_path: Path, name: str) -> None:
    whole = "😀" if name == "case.yaml" else "\\ud83d\\ude00"
    for written, told in (("\\ud83d", "malformed"), (whole, None)):
        one = json.dumps(entry(1)).replace("web-1", written)
        (tmp_path / name).write_text(one if name == "case.yaml" else f"[{one}]")
        found = [getattr(one, "kind", None) for one in recorded.questions(tmp_path / name)]
        assert found == [told]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        list(recorded.questions(tmp_path / "missing"))
    assert caught.value.hint == str(tmp_path / "missing")


@pytest.mark.parametrize("array", [False, True])
def test_a_file_of_any_length_takes_little_memory(tmp_path: Path, array: bool) -> None:
    file = tmp_path / "log.gz"
    with gzip.open(file, "wb", compresslevel=1) as packed:
        packed.write(b"[" if array else b"")
        for number in range(20_000):
            packed.write(json.dumps(entry(number)).encode() + (b"," if array else b"\n"))
        packed.write(json.dumps(entry(20_000)).encode() + (b"]" if array else b"\n"))
    tracemalloc.start()
    try:
        count = sum(1 for one in _only(recorded.questions(file)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_001
    assert peak < 2_000_000


def _only(questions: Iterator[Question | NotAskedError]) -> Iterator[Question]:
    return (one for one in questions if isinstance(one, Question))
