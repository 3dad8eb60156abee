"""A credential works once: for one claimant, who may ask again, and for one host of a place."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from hostseal.core.enrolment import Claim, Place, issue
from hostseal.enrolment.redemptions import Redemptions
from hostseal.errors import EnrolmentError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PLACE = Place(slot="web-1", generation=2, instance="i", host="web-1-g2", image="sha256:0")
CLAIM = Claim(place=PLACE, expires=(NOW + timedelta(minutes=5)).isoformat(), nonce="n")


def credential(claim: Claim = CLAIM) -> object:
    return msgspec.to_builtins(issue(claim, KEY))


def test_the_same_claimant_may_come_again_and_another_may_not(tmp_path: Path) -> None:
    record = Redemptions(tmp_path)
    first = record.redeem(credential(), KEY.public_key(), b"a", NOW)
    assert first.place == PLACE
    later = NOW + timedelta(minutes=1)
    assert (
        Redemptions(tmp_path).redeem(credential(), KEY.public_key(), b"a", later).claimant == first.claimant
    )
    with pytest.raises(EnrolmentError, match="enrolled before"):
        Redemptions(tmp_path).redeem(credential(), KEY.public_key(), b"b", later)


def test_a_second_credential_for_the_same_place_makes_no_second_host(tmp_path: Path) -> None:
    record = Redemptions(tmp_path)
    record.redeem(credential(), KEY.public_key(), b"a", NOW)
    second = replace(CLAIM, nonce="m", place=replace(PLACE, instance="j"))
    with pytest.raises(EnrolmentError, match="web-1 generation 2 was enrolled before"):
        record.redeem(credential(second), KEY.public_key(), b"b", NOW)
    record.redeem(
        credential(replace(second, place=replace(PLACE, generation=3))), KEY.public_key(), b"b", NOW
    )


def test_of_many_at_once_one_gets_it(tmp_path: Path) -> None:
    record = Redemptions(tmp_path)

    def ask(claimant: int) -> bool:
        try:
            record.redeem(credential(), KEY.public_key(), bytes([claimant]), NOW)
        except EnrolmentError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(32))) == 1


def test_a_refused_credential_is_not_used_up(tmp_path: Path) -> None:
    record = Redemptions(tmp_path)
    with pytest.raises(EnrolmentError, match="expired"):
        record.redeem(credential(), KEY.public_key(), b"a", NOW + timedelta(hours=1))
    assert list(tmp_path.iterdir()) == []
    assert record.redeem(credential(), KEY.public_key(), b"b", NOW).place == PLACE
