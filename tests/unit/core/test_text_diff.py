"""A diff of two texts: what it says, its bounds, and what of it may reach a terminal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostseal.core.text_diff import Bounds, TextDiff, hidden, text_of, unified

WIDE = Bounds(lines=10_000, size=1 << 20)


def test_a_changed_line_stands_in_its_context() -> None:
    before = "".join(f"line {number}\n" for number in range(20))
    found = unified(before, before.replace("line 9\n", "line nine\n"), WIDE)
    assert found == TextDiff(
        "--- before\n+++ after\n@@ -7,7 +7,7 @@\n line 6\n line 7\n line 8\n-line 9\n+line nine\n line 10\n line 11\n line 12",
        masked=0,
        cut=False,
    )


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (None, "a\n", "--- /dev/null\n+++ after\n@@ -0,0 +1 @@\n+a"),
        ("a\n", None, "--- before\n+++ /dev/null\n@@ -1 +0,0 @@\n-a"),
        ("a\n", "", "--- before\n+++ after\n@@ -1 +0,0 @@\n-a"),
        (
            "a\nb",
            "a\nb\n",
            "--- before\n+++ after\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b",
        ),
    ],
    ids=["new", "removed", "emptied", "the last newline"],
)
def test_both_ends_of_a_file(before: str | None, after: str | None, text: str) -> None:
    assert unified(before, after, WIDE) == TextDiff(text, masked=0, cut=False)


@pytest.mark.parametrize("same", [None, "", "a\n"])
def test_no_difference_is_no_diff(same: str | None) -> None:
    assert unified(same, same, WIDE) is None


def test_an_empty_file_that_comes_or_goes_has_no_lines_to_show() -> None:
    assert unified(None, "", WIDE) == TextDiff("", 0, cut=False)


def test_what_does_not_print_is_written_as_an_escape() -> None:
    found = unified("", "\x1b[2Ja\tb\r\x07\u202e\u2028é\\\n", WIDE)
    assert found is not None
    assert found.text.splitlines()[3] == "+\\x1b[2Ja\tb\\r\\x07\\u202e\\u2028é\\"


def test_tags_are_counted_and_a_file_cannot_forge_one() -> None:
    found = unified(f"a {hidden(1)}\n", f"a {hidden(2)} <masked 7>\n", WIDE)
    assert found is not None
    assert found.text.splitlines()[3:] == ["-a <masked 1>", "+a <masked 2> \\x3cmasked 7>"]
    assert found.masked == 2


def test_it_is_cut_at_a_whole_line() -> None:
    found = unified("", "".join(f"{number:04}\n" for number in range(1000)), Bounds(lines=10, size=1 << 20))
    assert found is not None
    assert (found.text.split("\n")[-1], len(found.text.split("\n")), found.cut) == ("+0006", 10, True)
    found = unified("", "é" * 40 + "\n" + "b\n", Bounds(lines=10, size=64))
    assert found == TextDiff("--- before\n+++ after\n@@ -0,0 +1,2 @@", 0, cut=True)


def test_a_long_line_is_shortened_and_no_tag_is_halved() -> None:
    found = unified("", "x" * 1998 + hidden(3) + "\n", WIDE)
    assert found == TextDiff("--- before\n+++ after\n@@ -0,0 +1 @@\n+" + "x" * 1998, 0, cut=True)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        (b"caf\xc3\xa9\n", "café\n"),
        (b"caf\xe9 is a word of Latin-1\n", "caf\\xe9 is a word of Latin-1\n"),
        (b"\x1b]0;owned\x07hi\x08\n", "\x1b]0;owned\x07hi\x08\n"),
        (b"a\0b", None),
        (b"\x7fELF\x02\x01\x01", None),
        (bytes(range(1, 256)), None),
    ],
)
def test_what_is_text(content: bytes, text: str | None) -> None:
    assert text_of(content) == text


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 30), st.integers(1, 400))
def test_whatever_the_bytes_the_text_prints_and_is_within_its_bounds(
    before: bytes, after: bytes, lines: int, size: int
) -> None:
    texts = text_of(before), text_of(after)
    found = unified(*texts, Bounds(lines=lines, size=size))
    assert (found is None) == (texts[0] == texts[1])
    if found is not None:
        assert len(found.text.encode()) <= size
        assert found.text.count("\n") < lines
        assert all(one.isprintable() or one in "\n\t" for one in found.text)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12),
    st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12),
)
def test_the_diff_turns_one_text_into_the_other(before: list[str], after: list[str]) -> None:
    old, new = ("".join(f"{line}\n" for line in lines) for lines in (before, after))
    found = unified(old, new, WIDE)
    body = [] if found is None else [line for line in found.text.split("\n")[2:] if not line.startswith("@@")]
    removed = [line[1:] for line in body if line[0] != "+"]
    added = [line[1:] for line in body if line[0] != "-"]
    if found is None:
        assert before == after
    elif "@@ -" in found.text and found.text.count("@@ -") == 1:
        assert _within(removed, before)
        assert _within(added, after)
        assert len(before) - len(removed) == len(after) - len(added)


def _within(part: list[str], whole: list[str]) -> bool:
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))
