"""Pardons: every way in which one may not hold."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from hostseal.core.pardon import Claim, sign, verify
from hostseal.core.standing import Incident, Pardon, Standing
from hostseal.errors import PardonError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
CLAIM = Claim(
    host="web-1",
    incident="i",
    person="carol",
    reason="drill",
    expires=(NOW + timedelta(hours=1)).isoformat(),
    nonce="n",
)
FLAGGED = Standing(incident=Incident(id="i", opened="", events=("e",), evidence=1, reasons=()))


def check(claim: Claim, standing: Standing = FLAGGED, *, key: Ed25519PrivateKey = KEY) -> Claim:
    raw = msgspec.to_builtins(sign(claim, key))
    return verify(raw, KEY.public_key(), "web-1", standing, NOW)


def test_a_pardon_that_fits_holds() -> None:
    assert check(CLAIM) == CLAIM


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (replace(CLAIM, host="web-2"), "is for host"),
        (replace(CLAIM, incident="j"), "is for incident"),
        (replace(CLAIM, expires=NOW.isoformat()), "expired"),
        (replace(CLAIM, expires="2030-01-01T00:00:00"), "expired"),
        (replace(CLAIM, reason=" "), "names a person and a reason"),
        (replace(CLAIM, expires="soon"), "not a pardon"),
    ],
)
def test_a_pardon_that_does_not_fit_is_refused(claim: Claim, why: str) -> None:
    with pytest.raises(PardonError, match=why):
        check(claim)


def test_a_pardon_by_another_key_or_used_or_for_a_sealed_host_is_refused() -> None:
    with pytest.raises(PardonError, match="signature"):
        check(CLAIM, key=Ed25519PrivateKey.from_private_bytes(b"x" * 32))
    used = replace(FLAGGED, pardons=(Pardon(incident="h", person="p", reason="r", nonce="n", time=""),))
    with pytest.raises(PardonError, match="used before"):
        check(CLAIM, used)
    with pytest.raises(PardonError, match="not flagged"):
        check(CLAIM, Standing())


def test_a_changed_word_breaks_the_signature() -> None:
    raw = msgspec.to_builtins(sign(CLAIM, KEY))
    raw["claim"]["reason"] = "no drill"
    with pytest.raises(PardonError, match="signature"):
        verify(raw, KEY.public_key(), "web-1", FLAGGED, NOW)
