"""Signed claims: a claim of one form never passes for one of another, and every way in which a release may not hold."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hostseal.core import pardon
from hostseal.core.lockdown import Level, Lockdown, Release
from hostseal.core.release import Claim, sign, verify
from hostseal.errors import PardonError, ReleaseError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
CLAIM = Claim(
    host="web-1",
    incident="i",
    person="carol",
    reason="drill",
    expires=(NOW + timedelta(hours=1)).isoformat(),
    nonce="n",
)
LOCKED = Lockdown(level=Level.CLOSED, incident="i")


def check(claim: Claim, lockdown: Lockdown = LOCKED, *, key: Ed25519PrivateKey = KEY) -> Claim:
    return verify(msgspec.to_builtins(sign(claim, key)), KEY.public_key(), "web-1", lockdown, NOW)


def test_a_release_that_fits_holds() -> None:
    assert check(CLAIM) == CLAIM


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (replace(CLAIM, host="web-2"), "is for host"),
        (replace(CLAIM, incident="j"), "is for incident"),
        (replace(CLAIM, expires=NOW.isoformat()), "expired"),
        (replace(CLAIM, expires="2030-01-01T00:00:00"), "expired"),
        (replace(CLAIM, expires="soon"), "not a release"),
    ],
)
def test_a_release_that_does_not_fit_is_refused(claim: Claim, why: str) -> None:
    with pytest.raises(ReleaseError, match=why):
        check(claim)


@pytest.mark.parametrize("field", ["person", "reason"])
def test_a_release_by_nobody_or_for_no_reason_is_not_signed(field: str) -> None:
    with pytest.raises(ReleaseError, match="names a person and a reason"):
        check(replace(CLAIM, **{field: " "}))


def test_a_release_by_another_key_or_used_or_for_an_open_host_is_refused() -> None:
    with pytest.raises(ReleaseError, match="signature"):
        check(CLAIM, key=OTHER)
    used = Release(incident="h", person="p", reason="r", nonce="n", time="")
    with pytest.raises(ReleaseError, match="used before"):
        check(CLAIM, replace(LOCKED, releases=(used,)))
    with pytest.raises(ReleaseError, match="not locked down"):
        check(CLAIM, Lockdown())


def test_a_pardon_is_no_release_and_a_release_no_pardon_though_the_key_and_the_words_are_the_same() -> None:
    words = msgspec.to_builtins(CLAIM)
    signed_pardon = msgspec.to_builtins(pardon.sign(pardon.Claim(**words), KEY))
    with pytest.raises(ReleaseError, match="signature"):
        verify(signed_pardon, KEY.public_key(), "web-1", LOCKED, NOW)
    with pytest.raises(PardonError, match="signature"):
        pardon.signed(msgspec.to_builtins(sign(CLAIM, KEY)), KEY.public_key(), NOW)


@given(st.sampled_from(["host", "incident", "person", "reason", "expires", "nonce"]), st.text())
def test_a_changed_word_breaks_the_signature(field: str, text: str) -> None:
    raw = msgspec.to_builtins(sign(CLAIM, KEY))
    if raw["claim"][field] == text:
        return
    raw["claim"][field] = text
    with pytest.raises(ReleaseError):
        verify(raw, KEY.public_key(), "web-1", LOCKED, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_whatever_else_is_handed_over_is_refused(raw: object) -> None:
    with pytest.raises(ReleaseError, match="not a release"):
        verify(raw, KEY.public_key(), "web-1", LOCKED, NOW)
