"""A real OPA, run as a host runs it: TLS, token, authorization, signed bundle, decision log on the console."""

import datetime as dt
import hashlib
import http.client
import ipaddress
import json
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOKEN = "a-token-of-the-test"
START_SECONDS = 30.0
CONFIG = """\
keys:
  hostseal:
    algorithm: ES256
    key: |
{key}
bundles:
  hostseal:
    resource: file://{bundle}
    signing:
      keyid: hostseal
decision_logs:
  console: true
"""


class OpaServer:
    """One OPA process; leave the context to end it."""

    def __init__(self, opa: Path, folder: Path, bundle: Path, public_key: Path) -> None:
        self.folder, self.log = folder, folder / "opa.log"
        self.port = _free_port()
        self._write_certificate()
        indented = "".join(f"      {line}\n" for line in public_key.read_text().splitlines())
        (folder / "opa.yaml").write_text(CONFIG.format(key=indented.rstrip("\n"), bundle=bundle))
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        (folder / "authz.json").write_text(json.dumps({"hostseal_local": {"token_sha256": digest}}))
        self._command = [
            opa, "run", "--server", "--config-file=opa.yaml", f"--addr=https://127.0.0.1:{self.port}",
            "--tls-cert-file=server.pem", "--tls-private-key-file=server.key", "--min-tls-version=1.3",
            "--authentication=token", "--authorization=basic", "--skip-version-check",
            "--log-format=json", "--log-level=error", "authz.json",
        ]  # fmt: skip

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(self._command, cwd=self.folder, stdout=log, stderr=log)
        return self

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def ask(
        self, path: str, body: object = None, *, token: str | None = TOKEN, method: str = "POST"
    ) -> tuple[int, Any]:
        """Return the HTTP status and the answer."""
        content = None if body is None else json.dumps(body).encode()
        status, answer = self.read(path, token, method=method, body=content)
        return status, json.loads(answer) if answer else None

    def read(
        self, path: str, token: str | None, *, method: str = "GET", body: bytes | None = None
    ) -> tuple[int, bytes]:
        """Return the HTTP status and the bytes of the answer."""
        context = ssl.create_default_context(cafile=str(self.folder / "server.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def decide(self, event: object, standing: object) -> Any:
        """Return the answer about an event, whole."""
        status, answer = self.ask(
            "/v1/data/hostseal/event/decision", {"input": {"event": event, "standing": standing}}
        )
        assert status == http.HTTPStatus.OK, answer
        return answer

    def health(self) -> int:
        """Return the status of the health page as anybody may read it."""
        return self.ask("/health?bundles&plugins", token=None, method="GET")[0]

    def wait_for(self, status: int) -> None:
        """Wait until the health page has this status."""
        deadline = time.monotonic() + START_SECONDS
        seen: object = None
        while time.monotonic() < deadline:
            try:
                seen = self.health()
            except OSError as error:
                seen = error
            if seen == status:
                return
            self._rest_unless_dead()
        raise AssertionError(f"health is {seen!r}, not {status}: {self.log.read_text()}")

    def wait_for_log(self, text: str) -> str:
        """Wait until OPA has said this; return all it said."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            said = self.log.read_text()
            if text in said:
                return said
            self._rest_unless_dead()
        raise AssertionError(f"{text!r} is not in the log: {self.log.read_text()}")

    def decision_log(self, decision_id: str) -> dict[str, Any]:
        """Return the decision log's entry."""
        # Go's own web server writes plain lines between the entries, about broken connections for one.
        lines = self.wait_for_log(f'"decision_id":"{decision_id}"').split("\n")
        [line] = [line for line in lines if f'"decision_id":"{decision_id}"' in line]
        entry: dict[str, Any] = json.loads(line)
        return entry

    def _rest_unless_dead(self) -> None:
        try:
            status = self._process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"opa ended with {status}: {self.log.read_text()}")

    def _write_certificate(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "opa of a test")])
        now = dt.datetime.now(dt.UTC)
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = (
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
        (self.folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (self.folder / "server.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
