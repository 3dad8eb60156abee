"""A new host makes itself known to a real ledger: by its credential, once, with a token of its own."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hostseal import keys
from hostseal.config.settings import LedgerSettings
from hostseal.core.enrolment import Claim, Place, issue
from hostseal.core.event import timestamp
from hostseal.enrolment.introduce import introduce
from hostseal.errors import RefusedError, UplinkError
from integration.ledger.server import LedgerServer

IMAGE = "sha256:" + "a" * 64


def credential(key: Path, host: str = "web-1-g2", *, minutes: float = 5) -> object:
    place = Place(
        slot="web-1", generation=2, instance="0b8c1f3e-0000-4000-8000-000000000000", host=host, image=IMAGE
    )
    expires = timestamp(datetime.now(UTC) + timedelta(minutes=minutes))
    return issue(Claim(place=place, expires=expires, nonce=secrets.token_hex(16)), keys.private_key(key))


def settings(ledger: LedgerServer, folder: Path) -> LedgerSettings:
    return LedgerSettings(url=ledger.url, ca=str(ledger.certificate), token_file=str(folder / "ledger/token"))


def test_a_new_host_gets_in_once_by_its_credential(tmp_path: Path) -> None:
    key = keys.ensure_pair(tmp_path / "keys", "enrolment")
    raw = credential(key)
    with LedgerServer(tmp_path, "--enrolment-key", str(key.with_suffix(".pub"))) as ledger:
        mine = settings(ledger, tmp_path / "host")
        introduce(raw, mine)
        token = Path(mine.token_file).read_text("ascii")
        assert Path(mine.token_file).stat().st_mode & 0o777 == 0o600
        introduce(raw, mine)  # an answer that never came: the same host comes again
        assert Path(mine.token_file).read_text("ascii") == token
        assert ledger.get("/v1/head", token)[0] == 200
        with pytest.raises(RefusedError, match="was enrolled before"):
            introduce(raw, settings(ledger, tmp_path / "thief"))
        with pytest.raises(RefusedError, match="expired"):
            introduce(credential(key, "web-9-g1", minutes=-1), settings(ledger, tmp_path / "late"))
        stranger = keys.ensure_pair(tmp_path / "stranger", "enrolment")
        with pytest.raises(RefusedError, match="signature"):
            introduce(credential(stranger), settings(ledger, tmp_path / "foreign"))
        with pytest.raises(RefusedError, match="not an enrolment credential"):
            introduce({"claim": 1}, settings(ledger, tmp_path / "nonsense"))
        with ledger.book() as book:
            assert [one.host for one in book.tokens()] == ["web-1-g2"]
            book.retire("web-1-g2", {}, id="gone")
        with pytest.raises(RefusedError, match="was revoked"):
            introduce(raw, mine)


def test_a_ledger_without_the_launchers_key_enrols_nobody(tmp_path: Path) -> None:
    key = keys.ensure_pair(tmp_path / "keys", "enrolment")
    with LedgerServer(tmp_path) as ledger, pytest.raises(RefusedError, match="no host is enrolled here"):
        introduce(credential(key), settings(ledger, tmp_path))


def test_without_a_ledger_the_address_is_named(tmp_path: Path) -> None:
    nowhere = LedgerSettings(url="https://127.0.0.1:1", ca="", token_file=str(tmp_path / "token"))
    with pytest.raises(UplinkError):
        introduce({}, nowhere)
