"""Whatever bytes come: records or a refusal, never anything else, and never without end.

The samples are what the kernel wrote in each of the three forms (tests/samples/fanotify/README.md).
"""

import struct
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hostseal.sensors import fanotify_abi as abi

SAMPLES = {
    path.stem: path.read_bytes() for path in (Path(__file__).parents[2] / "samples/fanotify").glob("*.bin")
}
REAL = st.sampled_from(sorted(SAMPLES.values()))
LEAST = 24


def taken_apart(buffer: bytes) -> tuple[abi.Record, ...]:
    """Return the records; those before what is refused, as a refusal tells them."""
    try:
        found = tuple(abi.records(buffer))
    except abi.AbiError as error:
        found = error.parsed
    assert len(found) <= len(buffer) // LEAST
    for record in found:
        assert all(text in buffer for text in (record.directory, record.name, record.target, record.to_name))
        assert b"\0" not in record.name + record.to_name
    return found


@pytest.mark.parametrize("form", SAMPLES)
def test_what_a_kernel_wrote_is_taken_apart(form: str) -> None:
    found = abi.records(SAMPLES[form])
    names = {record.name for record in found} | {record.to_name for record in found}
    assert names >= {b"a", b"b", b"c", b"d", b"e", b"f", b"n" * 255, b"\xff\n"}
    assert all(record.directory or record.target for record in found)
    moves = [(r.name, r.to_name) for r in found if r.mask & abi.RENAME]
    assert moves == ([(b"a", b"b"), (b"d", b"f")] if form == "linux-5.17" else [])


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.binary(max_size=400))
def test_any_bytes(buffer: bytes) -> None:
    taken_apart(buffer)


@settings(max_examples=600, derandomize=True, deadline=None, database=None)
@given(REAL, st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=8))
def test_real_records_with_bytes_changed(buffer: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(buffer)
    for at, value in changes:
        changed[at % len(changed)] = value
    taken_apart(bytes(changed))


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(REAL, st.integers(0, 1 << 16), st.binary(max_size=40))
@example(SAMPLES["linux-5.17"], 0, b"\0" * 24)
def test_real_records_cut_off_and_gone_on_with(buffer: bytes, at: int, rest: bytes) -> None:
    taken_apart(buffer[: at % len(buffer)] + rest)


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.integers(0, 60), st.integers(0, 200), st.binary(max_size=48)),
        max_size=4,
    )
)
def test_information_records_that_lie_about_their_size(infos: list[tuple[int, int, int, bytes]]) -> None:
    body = b"".join(
        struct.pack("=BxHIII", kind, size, 1, 2, handle) + rest for kind, size, handle, rest in infos
    )
    taken_apart(struct.pack("=IBBHQii", LEAST + len(body), 3, 0, LEAST, abi.CREATE, -1, 1) + body)
