"""A real HTTPS server of bundles on the loopback, by an authority of its own, that wants a token and can go away."""

import datetime as dt
import hashlib
import ipaddress
import ssl
import threading
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TOKEN = "a-token-for-bundles"


class BundleServer:
    """Serves the folder `www` while it is started; always at the same port of its address."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.www, self.ca, self._address = folder / "www", folder / "bundle-ca.pem", address
        self.www.mkdir(parents=True)
        self._certificate = _certify(folder, self.ca, address)
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.asked: list[tuple[str, int]] = []

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"https://{self._address}:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve."""
        handler = partial(_Bundles, self.asked, directory=str(self.www))
        server = ThreadingHTTPServer((self._address, self._port), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self._port, self._server = server.server_port, server
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Be gone: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Bundles(SimpleHTTPRequestHandler):
    """Gives files to whoever has the token, and says by their digest when there is nothing new.

    One request a connection (HTTP/1.0), so that nothing is left of a server that is gone.
    """

    def __init__(self, asked: list[tuple[str, int]], *arguments: Any, **options: Any) -> None:
        self._asked = asked
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(HTTPStatus.UNAUTHORIZED)
        elif not file.is_file():
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            content = file.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()}"'
            if self.headers.get("If-None-Match") == tag:
                self._answer(HTTPStatus.NOT_MODIFIED, tag=tag)
            else:
                self._answer(HTTPStatus.OK, content, tag)

    def _answer(self, status: HTTPStatus, content: bytes = b"", tag: str | None = None) -> None:
        self._asked.append((self.path, int(status)))
        self.send_response(status)
        if tag is not None:
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: what was asked is in `asked`."""


def _certify(folder: Path, ca: Path, where: str) -> Path:
    """Make an authority and a certificate by it; return the certificate with its key."""
    now = dt.datetime.now(dt.UTC)
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
        )

    root = builder(issuer, authority.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    ca.write_bytes(root.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bundles of a test")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(where))])
    leaf = (
        builder(name, key.public_key())
        .add_extension(address, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority, hashes.SHA256())
    )
    both = folder / "bundles.pem"
    both.write_bytes(
        leaf.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return both
