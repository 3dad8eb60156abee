"""The kernel's records, taken apart."""

import struct

import pytest

from hostseal.sensors import fanotify_abi as abi
from hostseal.sensors.fanotify_abi import Record

HANDLE = struct.pack("=IIIi8s", 1, 2, 8, 1, b"12345678")


def info(kind: int, body: bytes) -> bytes:
    body += b"\0" * (-len(body) % 4)
    return struct.pack("=BxH", kind, len(body) + 4) + body


def event(mask: int, *infos: bytes, version: int = 3) -> bytes:
    body = b"".join(infos)
    return struct.pack("=IBBHQii", 24 + len(body), version, 0, 24, mask, -1, 42) + body


def test_a_named_record_with_target_and_pidfd() -> None:
    buffer = event(abi.CREATE, info(2, HANDLE + b"a\xff\n\0"), info(1, HANDLE), info(4, b"\x07\0\0\0"))
    assert list(abi.records(buffer * 2)) == [Record(abi.CREATE, 42, 7, HANDLE, b"a\xff\n", HANDLE)] * 2


def test_an_overflow_has_neither_name_nor_process() -> None:
    assert list(abi.records(event(abi.Q_OVERFLOW))) == [
        Record(abi.Q_OVERFLOW, 42, abi.NO_PIDFD, b"", b"", b"")
    ]


def test_a_record_of_a_kind_to_come_is_passed_over() -> None:
    assert [r.name for r in abi.records(event(abi.DELETE, info(99, b"what"), info(2, HANDLE + b"x\0")))] == [
        b"x"
    ]


@pytest.mark.parametrize(
    "buffer", [event(abi.CREATE, version=4), event(abi.CREATE, struct.pack("=BxH", 2, 0)), b"\0" * 24]
)
def test_an_unknown_form_is_refused_not_guessed(buffer: bytes) -> None:
    with pytest.raises(abi.AbiError):
        list(abi.records(buffer))


def test_a_key_holds_filesystem_and_handle() -> None:
    key = abi.key_of(1 | 2 << 32, 1, b"12345678")
    assert key == HANDLE
    assert abi.filesystem_of(key) == 1 | 2 << 32
