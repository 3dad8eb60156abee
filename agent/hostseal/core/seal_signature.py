"""A manifest's signature: Ed25519 over the digest of all that comes before it, so that a stream can be believed."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hostseal.core.seal_format import SIGNATURE, SIGNED, frame
from hostseal.errors import SealError

_BYTES = 32 + 64


def key_id(key: Ed25519PublicKey) -> bytes:
    """Return by which 32 bytes a manifest names the key it is signed with: the SHA-256 of its raw bytes."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).digest()


def signature_frame(digest: bytes, key: Ed25519PrivateKey) -> bytes:
    """Return the last frame: which key signed, and its signature. `digest`: SHA-256 of all that comes before."""
    return frame(SIGNATURE, key_id(key.public_key()) + key.sign(SIGNED + digest))


def check_signature(payload: bytes, digest: bytes, key: Ed25519PublicKey) -> None:
    """Return if this key signed what has this digest; SealError with its cause if not."""
    if len(payload) != _BYTES:
        raise SealError("the manifest's signature is not of its length", cause="signature")
    signer, signature = payload[:32], payload[32:]
    if signer != key_id(key):
        raise SealError(
            f"the manifest was changed, or signed by another key than this one: by sha256:{signer.hex()}",
            cause="unknown_key",
        )
    try:
        key.verify(signature, SIGNED + digest)
    except InvalidSignature as error:
        raise SealError("the manifest was changed since it was signed", cause="signature") from error
