"""A real `hostseal ledger serve` in a process of its own, with TLS, that can be killed and started again."""

import datetime as dt
import gzip
import http.client
import ipaddress
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hostseal.clock import SystemClock
from hostseal.ledger.book import Ledger

HOSTSEAL = Path(sys.executable).with_name("hostseal")
START_SECONDS = 30.0
Answer = tuple[int, dict[str, Any]]


class LedgerServer:
    """One ledger: its files, its process, and a client."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.data, self.folder, self._options = folder / "data", folder, options
        self.certificate = folder / "ledger.pem"
        _write_certificate(self.certificate, folder / "ledger.key")
        write_key(folder / "checkpoint.key")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"https://127.0.0.1:{self.port}"
        self.log = folder / "ledger.log"
        self.process: subprocess.Popen[bytes] | None = None
        Ledger.make(self.data, SystemClock()).close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [HOSTSEAL, "ledger", "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        command += ["--certificate", self.certificate, "--certificate-key", self.folder / "ledger.key"]
        command += ["--checkpoint-key", self.folder / "checkpoint.key", *self._options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                assert self.get("/health")[0] == 200
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.05)  # the pace of looking; the deadline decides
            else:
                return

    def kill(self) -> None:
        """End it as no program can prevent."""
        assert self.process is not None
        self.process.kill()
        assert self.process.wait(20) == -signal.SIGKILL
        self.process = None

    def stop(self) -> None:
        """End it orderly."""
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(20) == 0, self.log.read_text()
            self.process = None

    def token(self, host: str) -> str:
        """Return a new token of a host."""
        with self.book() as book:
            return book.add_token(host)

    def book(self) -> Ledger:
        """Return the ledger, opened beside the service."""
        return Ledger(self.data, SystemClock())

    def get(self, path: str, token: str | None = None) -> Answer:
        """Return status and answer of a GET."""
        return self.ask("GET", path, None, {} if token is None else {"Authorization": f"Bearer {token}"})

    def post(self, path: str, token: str, content: object) -> Answer:
        """Return status and answer of a POST of JSON, packed as OPA does it."""
        headers = {"Authorization": f"Bearer {token}", "Content-Encoding": "gzip"}
        return self.ask("POST", path, gzip.compress(json.dumps(content).encode()), headers)

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """Return status and answer of any request."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def rss_mb(self) -> float:
        """Return the most memory that the process ever had, in MB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def write_key(file: Path) -> None:
    """Write a new Ed25519 private key."""
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    file.write_bytes(pem)


def _write_certificate(certificate: Path, private: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ledger of a test")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
