"""The ledger's own certificate, made once and kept with the lab's keys: images trust it."""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hostseal import durable

DAYS, LEFT_DAYS = 365, 30


def ensure(folder: Path, address: str) -> tuple[Path, Path]:
    """Return certificate and key for an address, made now unless there are such with a month left."""
    certificate, key = folder / f"ledger-{address}.pem", folder / f"ledger-{address}.key"
    if not (certificate.exists() and key.exists() and _lasts(certificate)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        private, made = _make(address)
        durable.write(key, private)
        durable.write(certificate, made, mode=0o644)
    return certificate, key


def _lasts(certificate: Path) -> bool:
    end = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    return end > datetime.now(UTC) + timedelta(days=LEFT_DAYS)


def _make(address: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ledger of a lab on {os.uname().nodename}")])
    now = datetime.now(UTC)
    addresses = [ipaddress.ip_address(address), ipaddress.ip_address("127.0.0.1")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(one) for one in addresses]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, made.public_bytes(Encoding.PEM)
