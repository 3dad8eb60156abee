"""Makes a new host known to the ledger, by its one-time credential and a token of the host's own making."""

import hashlib
import secrets
from pathlib import Path

from hostseal import durable
from hostseal.config.settings import LedgerSettings
from hostseal.uplink.client import LedgerClient


def introduce(credential: object, ledger: LedgerSettings) -> None:
    """Redeem the credential for the host's own token. After a boot that broke off: the same token again.

    RefusedError: the ledger does not believe it; UplinkError: it could not be asked.
    """
    path = Path(ledger.token_file)
    if not path.exists():
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        # No newline at its end: the digest of the file is the digest of the token.
        durable.write(path, secrets.token_urlsafe(32).encode())
    token = path.read_bytes().strip()
    client = LedgerClient(ledger)
    try:
        client.introduce(credential, hashlib.sha256(token).hexdigest())
    finally:
        client.close()
