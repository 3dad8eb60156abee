"""The ledger over HTTP: who may post what, and how it is answered (docs/reference/ledger.md)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hostseal.errors import LedgerError, RefusedError
from hostseal.ledger.body import Limits, Room, too_large, unpack
from hostseal.ledger.enrol import Admission
from hostseal.ledger.ingest import Ingest, Reply
from hostseal.ledger.tokens import Doorkeeper

_Take = Callable[[str, bytearray, str], Reply]
_Scope = dict[str, Any]
_POLITE_BYTES, _POLITE_SECONDS = 4 << 20, 5.0


class App:
    """The ASGI application."""

    def __init__(
        self, ingest: Ingest, door: Doorkeeper, limits: Limits, admission: Admission | None = None
    ) -> None:
        """Without `admission` no host is enrolled here: tokens are added by hand."""
        self._ingest, self._door, self._limits, self._admission = ingest, door, limits, admission
        self._room = Room(limits)
        # One thread takes in one post after the other: the database has one writer, and memory one post's limits.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        routes = [
            Route("/health", self._health, methods=["GET"]),
            Route("/v1/head", self._head, methods=["GET"]),
            Route("/v1/records", self._poster(ingest.reports), methods=["POST"]),
            Route("/v1/enrol", self._poster(self._enrol, known=False), methods=["POST"]),
            Route("/logs", self._poster(ingest.decision_log), methods=["POST"]),
            Route("/logs/{partition}", self._poster(ingest.decision_log), methods=["POST"]),
        ]
        handlers: Mapping[Any, Any] = {
            RefusedError: _refused,
            LedgerError: _failed,
            HTTPException: _no_such,
            ClientDisconnect: _gone,
            Exception: _broken,
        }
        self._app = Starlette(routes=routes, exception_handlers=handlers)

    async def __call__(self, scope: _Scope, receive: Any, send: Any) -> None:
        """Answer. OPA puts `/logs` behind the service's path, and writes two slashes where that ends in one."""
        if scope["type"] == "http":
            scope = {**scope, "path": _plain(scope["path"])}
        await self._app(scope, receive, send)

    async def _health(self, _request: Request) -> Response:
        return _json({"ok": True, "count": self._ingest.head().head.count})

    async def _head(self, request: Request) -> Response:
        self._host(request)
        return _json(self._ingest.head())

    def _enrol(self, _host: str, body: bytearray, encoding: str) -> Reply:
        if self._admission is None:
            raise RefusedError(
                HTTPStatus.NOT_FOUND, "no host is enrolled here", hint="hostseal ledger serve --enrolment-key"
            )
        self._admission.admit(unpack(body, encoding, self._limits))
        return self._ingest.head()

    def _poster(self, take: _Take, *, known: bool = True) -> Callable[[Request], Awaitable[Response]]:
        async def post(request: Request) -> Response:
            host = self._host(request) if known else ""
            announced = request.headers.get("content-length", "")
            if announced.isdecimal() and int(announced) > self._limits.packed:
                raise too_large(f"the body is larger than {self._limits.packed} bytes")
            body = await self._room.read(request.stream())
            try:
                encoding = request.headers.get("content-encoding", "").strip().lower()
                # Not cancelled when the writer goes away: what it sent may be on disk already.
                loop = asyncio.get_running_loop()
                return _json(
                    await asyncio.shield(loop.run_in_executor(self._worker, take, host, body, encoding))
                )
            finally:
                self._room.leave(body)

        async def polite(request: Request) -> Response:
            try:
                return await post(request)
            except RefusedError as error:
                await _let_finish(request)
                return _refused(request, error)

        return polite

    def _host(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        host = self._door.host_of(token.strip()) if scheme.lower() == "bearer" else None
        if host is None:
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED, "no host has this token", hint="hostseal ledger token add HOST"
            )
        return host


async def _let_finish(request: Request) -> None:
    """Read the rest of a refused body, within limits: many a writer listens only once it has sent everything."""
    left = _POLITE_BYTES
    with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(_POLITE_SECONDS):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return


def _plain(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if "logs" in parts:
        parts = parts[parts.index("logs") :]
    return "/" + "/".join(parts)


def _json(content: object, status: int = HTTPStatus.OK) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def _refused(_request: Request, error: RefusedError) -> Response:
    answer = _json({"error": error.message, "hint": error.hint}, error.status)
    if error.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = "1"
    # What is left of a refused body is not read: the connection ends with the answer.
    answer.headers["Connection"] = "close"
    return answer


def _failed(_request: Request, error: LedgerError) -> Response:
    return _json({"error": error.message, "hint": error.hint}, HTTPStatus.SERVICE_UNAVAILABLE)


def _no_such(_request: Request, error: HTTPException) -> Response:
    return _json({"error": error.detail, "hint": "docs/reference/ledger.md"}, error.status_code)


def _gone(_request: Request, _error: ClientDisconnect) -> Response:
    return _json({"error": "the writer went away", "hint": ""}, HTTPStatus.BAD_REQUEST)


def _broken(_request: Request, error: Exception) -> Response:
    return _json({"error": f"the ledger failed: {type(error).__name__}", "hint": ""}, 500)
