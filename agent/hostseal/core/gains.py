"""Which privileges a file gives to whoever executes it that the seal's file does not give. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from hostseal.core.seal import Kind
from hostseal.core.seal_compare import CAPABILITY, Change, Difference


class Gain(StrEnum):
    """A way to give a privilege."""

    SETUID = "setuid"
    SETGID = "setgid"
    CAPABILITY = "capability"


_BITS = {Gain.SETUID: 0o4000, Gain.SETGID: 0o2000}


def gains(differences: Iterable[Difference]) -> tuple[Gain, ...]:
    """Return what a file gives by these differences, each once. They do not tell a directory's new mode from a file's."""
    found = {gain for one in differences for gain in _gains(one)}
    return tuple(gain for gain in Gain if gain in found)


def _gains(one: Difference) -> Iterable[Gain]:
    if one.change is Change.MODE:
        return _bits(one.found) - _bits(one.sealed)
    if one.change is Change.XATTRS and _capability(one.found) not in {None, _capability(one.sealed)}:
        return {Gain.CAPABILITY}
    if one.change in {Change.ADDED, Change.UNSAFE, Change.KIND} and one.found.startswith(f"{Kind.FILE} "):
        _, mode, *rest = one.found.split(" ")
        return _bits(mode) | ({Gain.CAPABILITY} if _capability(" ".join(rest)) else set())
    return ()


def _bits(mode: str) -> set[Gain]:
    return {gain for gain, bit in _BITS.items() if int(mode, 8) & bit}


def _capability(text: str) -> str | None:
    return next((word for word in text.split(" ") if word.startswith(f"{CAPABILITY}=")), None)
