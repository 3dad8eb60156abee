"""Which places were enrolled, on the control side: one file each, so that a credential works for one host only."""

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hostseal import durable
from hostseal.core.enrolment import Place, verify
from hostseal.core.event import timestamp
from hostseal.errors import EnrolmentError


class Redemption(msgspec.Struct, frozen=True, kw_only=True):
    """Who redeemed a credential when. `claimant` is the digest of what the host gave to know it again by."""

    place: Place
    claimant: str
    time: str


class Redemptions:
    """The record, one directory."""

    def __init__(self, folder: Path) -> None:
        """Keep the record in `folder`, which is made when it is missing."""
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def redeem(self, raw: Any, key: Ed25519PublicKey, claimant: bytes, now: datetime) -> Redemption:
        """Use up the credential in `raw` (parsed JSON) for `claimant`, on disk when this returns; EnrolmentError if not.

        `claimant` is a secret of the host's own making (32 random bytes) or its public key. The same claimant may come
        again, for an answer it never got; another one is refused, and so is a second host of the same place.
        """
        place = verify(raw, key, now).place
        wanted = Redemption(place=place, claimant=hashlib.sha256(claimant).hexdigest(), time=timestamp(now))
        name = hashlib.sha256(f"{place.slot}\n{place.generation}".encode()).hexdigest()
        found = self._take(self._folder / name, wanted)
        if (found.place, found.claimant) != (wanted.place, wanted.claimant):
            raise EnrolmentError(
                f"{place.slot} generation {place.generation} was enrolled before, at {found.time}",
                hint="issue a credential for a new generation",
            )
        return found

    def _take(self, path: Path, wanted: Redemption) -> Redemption:
        """Return what the file holds: ours, if there was none. Made whole elsewhere, it appears in one step."""
        draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
        durable.write(draft, msgspec.json.encode(wanted))
        try:
            os.link(draft, path)
        except FileExistsError:
            return msgspec.json.decode(path.read_bytes(), type=Redemption)
        finally:
            draft.unlink()
        durable.sync_directory(self._folder)
        return wanted
