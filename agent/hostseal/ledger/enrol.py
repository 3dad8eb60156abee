"""Lets a new host in by its one-time credential: from then on it writes with a token of its own making."""

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hostseal.core.event import timestamp
from hostseal.enrolment.redemptions import Redemptions
from hostseal.errors import EnrolmentError, RefusedError
from hostseal.ledger import tokens
from hostseal.ledger.database import Database
from hostseal.ports import Clock

REDEMPTIONS = "redemptions"


class Introduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a new host posts: its credential, and the SHA-256 (hex) of the token it will write with."""

    credential: Any
    token_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Admission:
    """Believes credentials signed by the launcher's key, each for one host and one token."""

    def __init__(self, database: Database, key: Ed25519PublicKey, folder: Path, clock: Clock) -> None:
        self._database, self._key, self._clock = database, key, clock
        self._redemptions = Redemptions(folder)

    def admit(self, body: bytes | bytearray) -> str:
        """Return the host that is let in, on disk by now; the same host may come again. RefusedError (400, 403)."""
        try:
            introduction = msgspec.json.decode(body, type=Introduction)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"this is not an introduction: {error}") from error
        digest, now = bytes.fromhex(introduction.token_sha256), self._clock.now()
        try:
            place = self._redemptions.redeem(introduction.credential, self._key, digest, now).place
        except EnrolmentError as error:
            raise RefusedError(HTTPStatus.FORBIDDEN, error.message, hint=error.hint) from error
        if not tokens.admit(self._database, place.host, digest, timestamp(now)):
            raise RefusedError(HTTPStatus.FORBIDDEN, f"this token of {place.host} was revoked")
        return place.host
