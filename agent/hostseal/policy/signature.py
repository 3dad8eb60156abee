"""A bundle's signature: the list of its files' digests as OPA made it, signed so that it is the same each time."""

import base64
import json
from typing import Any

import msgspec

from hostseal.policy.signing import SigningKey


def anew(signatures: bytes, key: SigningKey) -> bytes:
    """Return `.signatures.json` with what OPA signed in `signatures`, signed by `key` with the key's id in its head."""
    [token] = json.loads(signatures)["signatures"]
    _, payload, _ = token.split(".")
    signed: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    signed["files"].sort(key=lambda file: file["name"])
    head = {"alg": key.public.algorithm, "kid": key.public.id, "typ": "JWT"}
    body = f"{_part(head)}.{_part(signed)}"
    return msgspec.json.encode({"signatures": [f"{body}.{_base64(key.sign(body.encode()))}"]})


def _part(value: dict[str, Any]) -> str:
    return _base64(msgspec.json.encode(value, order="sorted"))


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
