"""The process that makes diffs, as its parent meets it: whole questions in, whole answers out, nothing left over."""

import os
import subprocess
import sys

import msgspec
import pytest

from hostseal.core.text_diff import Bounds, TextDiff
from hostseal.sensors.diff_child import LENGTH, Question, answer

COMMAND = [sys.executable, "-I", "-m", "hostseal.sensors.diff_child"]


def framed(*questions: Question) -> bytes:
    bodies = [msgspec.msgpack.encode(one) for one in questions]
    return b"".join(len(body).to_bytes(LENGTH, "big") + body for body in bodies)


def asked(before: bytes | None, after: bytes | None, *, mask: bool = True) -> Question:
    return Question(b"/etc/x", before, after, mask=mask, bounds=Bounds())


def test_it_answers_each_question_and_ends_with_its_input() -> None:
    sent = framed(
        asked(b"a\n", b"b\n"), asked(b"same", b"same"), asked(b"\0", b"b\n"), asked(None, b"token=abc12345\n")
    )
    done = subprocess.run(COMMAND, input=sent, capture_output=True, timeout=60, check=True)
    answers, rest = [], done.stdout
    while rest:
        size = int.from_bytes(rest[:LENGTH], "big")
        answers.append(msgspec.msgpack.decode(rest[LENGTH : LENGTH + size], type=TextDiff | None))
        rest = rest[LENGTH + size :]
    assert answers == [
        TextDiff("--- before\n+++ after\n@@ -1 +1 @@\n-a\n+b", 0, cut=False),
        None,
        None,
        TextDiff("--- /dev/null\n+++ after\n@@ -0,0 +1 @@\n+token=<masked 1>", 1, cut=False),
    ]
    assert done.stderr == b""


@pytest.mark.parametrize(
    "sent",
    [b"", b"\0\0", framed(asked(b"a", b"b"))[:9], b"\0\0\0\1\xc1"],
    ids=["none", "head", "half", "none of ours"],
)
def test_what_is_no_question_has_no_answer(sent: bytes) -> None:
    assert subprocess.run(COMMAND, input=sent, capture_output=True, timeout=60, check=False).stdout == b""


def test_it_leaves_no_core() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(framed(asked(b"a\n", b"b\n")))
        child.stdin.flush()
        assert child.stdout.read(LENGTH) != b""
        with open(f"/proc/{child.pid}/limits", encoding="utf-8") as limits:
            core = next(line.split() for line in limits if line.startswith("Max core"))
        assert core[4:6] == ["0", "0"]
        child.stdin.close()
        assert child.wait(30) == os.EX_OK


def test_without_a_mask_the_text_is_as_it_is() -> None:
    found = answer(asked(None, b"token=abc12345\n", mask=False))
    assert found is not None
    assert found.text.endswith("+token=abc12345")
