"""Looks at OPA: its health, and what it tells of its bundle and of its decision log. It never decides anything.

A connection of its own for each look, so that no decision waits for one; a deadline for the whole of it.
"""

import contextlib
import http.client
import socket
import ssl
import threading
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from hostseal.config.settings import OpaSettings
from hostseal.core.engine_watch import Release, Seen, Status

SECONDS = 5.0
_ANSWER_BYTES = 1 << 20
_HEALTH, _STATUS = "/health?bundles&plugins", "/v1/status"
_TOLD = "/v1/data/hostseal/release/told"
# Of OPA 1.20. `..._buffer_size_limit_bytes_exceeded` counts the same drops once more; an entry that lost only its
# `nd_builtin_cache` is not lost.
_DROPS = (
    "counter_decision_logs_dropped_rate_limit_exceeded",
    "counter_decision_logs_dropped_buffer_size_limit_exceeded",
    "counter_decision_logs_encoding_failure",
)


class _Bundle(msgspec.Struct, frozen=True):
    active_revision: str | None = None
    last_successful_activation: str | None = None
    code: str | None = None
    message: str | None = None
    errors: tuple[msgspec.Raw, ...] = ()


class _Upload(msgspec.Struct, frozen=True):
    code: str | None = None
    message: str | None = None


class _Labels(msgspec.Struct, frozen=True):
    id: str


class _Metrics(msgspec.Struct, frozen=True):
    prometheus: dict[str, msgspec.Raw] = {}


class _Result(msgspec.Struct, frozen=True):
    labels: _Labels
    bundles: dict[str, _Bundle] = {}
    decision_logs: _Upload = _Upload()
    metrics: _Metrics = _Metrics()


class _Answer(msgspec.Struct, frozen=True):
    result: _Result


class _Told(msgspec.Struct, frozen=True):
    result: Release = Release()


class OpaLook:
    """Looks at the OPA of these settings."""

    def __init__(self, settings: OpaSettings) -> None:
        self._settings = settings
        self._release: tuple[tuple[str, str | None], Release] | None = None

    def __call__(self) -> Seen:
        """Return what is seen; never raises for what OPA does, or does not."""
        try:
            health, said = self._get(_HEALTH)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Seen(down=f"{type(error).__name__}: {error}"[:300])
        no_bundle = None if health == HTTPStatus.OK else f"its health is {health}: {_words(said)}"
        try:
            code, content = self._get(_STATUS)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Seen(
                no_bundle=no_bundle, why=f"its status cannot be read: {type(error).__name__}: {error}"[:300]
            )
        if code != HTTPStatus.OK:
            return Seen(no_bundle=no_bundle, why=f"it does not tell its status: {code} {_words(content)}")
        try:
            status = parse(content)
        except msgspec.DecodeError as error:
            return Seen(no_bundle=no_bundle, why=f"its status is not understood: {error}")
        return Seen(no_bundle=no_bundle, status=msgspec.structs.replace(status, release=self._told(status)))

    def _told(self, status: Status) -> Release:
        """Return what the bundle says of itself, asked once for each: the question stands in the decision log."""
        about = status.instance, status.activated
        if self._release is None or self._release[0] != about:
            try:
                code, content = self._exchange("POST", _TOLD, b'{"input": {}}')
                told = msgspec.json.decode(content, type=_Told).result if code == HTTPStatus.OK else Release()
            except (OSError, http.client.HTTPException, ValueError):
                return Release()
            self._release = about, told
        return self._release[1]

    def _get(self, path: str) -> tuple[int, bytes]:
        return self._exchange("GET", path, None)

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        parts = urlsplit(self._settings.url)
        connection = self._connection(parts.scheme, parts.hostname or "", parts.port)
        # The connection's own time-out is for each read: an OPA that trickles would never reach it.
        ended = threading.Timer(SECONDS, _end, [connection])
        ended.daemon = True
        ended.start()
        try:
            connection.request(method, path, body, self._headers())
            answer = connection.getresponse()
            content = answer.read(_ANSWER_BYTES + 1)
        finally:
            ended.cancel()
            connection.close()
        if len(content) > _ANSWER_BYTES:
            raise ValueError(f"{path} is longer than {_ANSWER_BYTES} bytes")
        return answer.status, content

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=SECONDS)
        context = ssl.create_default_context(cafile=self._settings.ca or None)
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)

    def _headers(self) -> dict[str, str]:
        if not self._settings.token_file:
            return {"Content-Type": "application/json"}
        token = Path(self._settings.token_file).read_text("ascii").strip()
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def parse(content: bytes) -> Status:
    """Return OPA's status out of the answer to `GET /v1/status`; DecodeError when it is none."""
    result = msgspec.json.decode(content, type=_Answer).result
    bundles = sorted(result.bundles.items())
    broken = [f"{name}: {_bundle_error(one)}" for name, one in bundles if one.code]
    revisions = [one.active_revision for _, one in bundles if one.active_revision]
    activations = [one.last_successful_activation for _, one in bundles if one.active_revision]
    upload = result.decision_logs
    return Status(
        instance=result.labels.id,
        revision=", ".join(revisions) or None,
        activated=max((one for one in activations if one), default=None),
        bundle_error="; ".join(broken)[:600] or None,
        upload_error=(upload.message or upload.code or None) if upload.code else None,
        dropped=sum(_count(result.metrics.prometheus.get(name)) for name in _DROPS),
    )


def _bundle_error(bundle: _Bundle) -> str:
    first = bytes(bundle.errors[0]).decode("utf-8", "replace")[:300] if bundle.errors else ""
    return " ".join(word for word in (bundle.message or bundle.code or "", first) if word)


def _count(raw: msgspec.Raw | None) -> int:
    return 0 if raw is None else msgspec.json.decode(raw, type=int)


def _words(content: bytes) -> str:
    return " ".join(content[:200].decode("utf-8", "replace").split())


def _end(connection: http.client.HTTPConnection) -> None:
    """Let whoever reads find the connection's end. The TLS object stays whole: its reader is in another thread."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
