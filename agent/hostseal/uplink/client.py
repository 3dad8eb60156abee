"""Posts to the ledger over TLS 1.3; its certificate is pinned to one authority. Every wait has a deadline."""

import contextlib
import gzip
import http.client
import socket
import ssl
import threading
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from hostseal.config.settings import LedgerSettings
from hostseal.errors import RefusedError, UplinkError
from hostseal.uplink.wire import Answer, Post

TIMEOUT_SECONDS = 10.0
EXCHANGE_SECONDS = 30.0
_ANSWER_BYTES = 1 << 16
_RECORDS, _ENROL = "/v1/records", "/v1/enrol"


class LedgerClient:
    """One connection at a time, kept open between posts that follow each other."""

    def __init__(self, settings: LedgerSettings) -> None:
        self._settings = settings
        self._connection: http.client.HTTPSConnection | None = None

    def post(self, post: Post) -> Answer:
        """Return the ledger's answer. RefusedError: it does not take this; UplinkError: it could not be asked."""
        return self._send(_RECORDS, post)

    def introduce(self, credential: object, token_sha256: str) -> Answer:
        """Make a new host known by its one-time credential and the digest of the token it will write with; as :meth:`post`."""
        return self._send(_ENROL, {"credential": credential, "token_sha256": token_sha256})

    def _send(self, path: str, content: object) -> Answer:
        body = gzip.compress(msgspec.json.encode(content), 6, mtime=0)
        reused = self._connection is not None
        try:
            try:
                status, answer = self._exchange(path, body)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # It may have closed the idle connection meanwhile. What it has of this post it takes twice.
                self.close()
                if not reused:
                    raise
                status, answer = self._exchange(path, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise UplinkError(
                f"the ledger does not answer: {type(error).__name__}: {error}", hint=self._settings.url
            ) from error
        return self._answer(status, answer)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        if path != _ENROL:
            token = Path(self._settings.token_file).read_text("ascii").strip()
            headers["Authorization"] = f"Bearer {token}"
        connection = self._connected()
        if connection.sock is None:
            connection.connect()
        # The connection's own time-out is for each read: one that trickles would never reach it.
        ended = threading.Timer(EXCHANGE_SECONDS, _end, [connection.sock])
        ended.daemon = True
        ended.start()
        try:
            connection.request("POST", urlsplit(self._settings.url).path.rstrip("/") + path, body, headers)
            answer = connection.getresponse()
            content = answer.read(_ANSWER_BYTES)
        finally:
            ended.cancel()
        if not answer.isclosed() or answer.will_close:
            self.close()
        return answer.status, content

    def _connected(self) -> http.client.HTTPSConnection:
        if self._connection is None:
            parts = urlsplit(self._settings.url)
            context = ssl.create_default_context(cafile=self._settings.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            self._connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port or 443, timeout=TIMEOUT_SECONDS, context=context
            )
        return self._connection

    def _answer(self, status: int, content: bytes) -> Answer:
        if status == HTTPStatus.OK:
            try:
                return msgspec.json.decode(content, type=Answer)
            except msgspec.DecodeError as error:
                raise UplinkError(
                    f"the ledger's answer is not understood: {error}", hint=self._settings.url
                ) from error
        self.close()
        said = content[:300].decode("utf-8", "replace")
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RefusedError(
                status, f"the ledger refuses this host's post: {status} {said}", hint=self._settings.url
            )
        raise UplinkError(f"the ledger cannot take anything: {status} {said}", hint=self._settings.url)


def _end(connection: socket.socket) -> None:
    """Let whoever reads find the connection's end. The TLS object stays whole: its reader is in another thread."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
