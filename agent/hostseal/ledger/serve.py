"""Runs the ledger's service: TLS 1.3, the watch, the checkpoints; systemd is told how it is."""

import asyncio
import contextlib
import ctypes
import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvicorn
from systemd import daemon as sd

from hostseal.clock import SystemClock
from hostseal.errors import LedgerError
from hostseal.keys import public_key
from hostseal.ledger import database, store
from hostseal.ledger.body import Limits
from hostseal.ledger.book import FILE, KEYS
from hostseal.ledger.checkpoints import Signer, keep_public, private_key
from hostseal.ledger.enrol import REDEMPTIONS, Admission
from hostseal.ledger.ingest import Ingest
from hostseal.ledger.tokens import Doorkeeper
from hostseal.ledger.watch import Watch, Watching
from hostseal.ledger.web import App
from hostseal.log import Log
from hostseal.ports import Clock

_TICK_SECONDS = 1.0
# The numbers that glibc gives these two settings: see its man page of mallopt.
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BYTES = 1 << 17
_CONNECTIONS = 512
_STOP_SECONDS = 10


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """Where the ledger lies and listens, and the files of its certificate and its keys."""

    data: Path
    address: str
    port: int
    certificate: Path
    certificate_key: Path
    checkpoint_key: Path
    enrolment_key: Path | None = None
    watching: Watching = Watching()
    limits: Limits = Limits()


def _admission(serving: Serving, opened: database.Database, clock: Clock) -> Admission | None:
    if serving.enrolment_key is None:
        return None
    return Admission(opened, public_key(serving.enrolment_key), serving.data / REDEMPTIONS, clock)


def run(serving: Serving, log: Log) -> None:
    """Serve until SIGTERM or SIGINT. LedgerError when it cannot begin."""
    _give_memory_back()
    key = private_key(serving.checkpoint_key)
    database.make(serving.data / FILE)
    keep_public(key, serving.data / KEYS)
    opened = database.Database(serving.data / FILE)
    clock = SystemClock()
    signer = Signer(opened, key, clock)
    watch = Watch(opened, clock, serving.watching)
    ingest = Ingest(opened, watch, signer, clock, serving.limits)
    app = App(ingest, Doorkeeper(opened), serving.limits, _admission(serving, opened, clock))
    server = _Server(_config(app, serving), watch, signer, log)
    # Uvicorn ends orderly on a signal, and then raises it once more.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with _listening(serving) as listening:
        server.run([listening])
    signer.sign()
    head = store.head(opened)
    opened.close()
    log("ledger.stopped", count=head.count, hash=head.hash)


class _Server(uvicorn.Server):
    """Uvicorn, with the ledger's own work beside it."""

    def __init__(self, config: uvicorn.Config, watch: Watch, signer: Signer, log: Log) -> None:
        super().__init__(config)
        self._watch, self._signer, self._log = watch, signer, log

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._work = asyncio.create_task(self._keep_working())
        sd.notify("READY=1")
        self._log("ledger.ready", port=self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the connections, then the work."""
        sd.notify("STOPPING=1")
        await super().shutdown(sockets)
        self._work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._work

    async def _keep_working(self) -> None:
        trouble = ""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                await asyncio.to_thread(self._tick)
                said = ""
            except LedgerError as error:
                said = str(error)
            sd.notify(f"WATCHDOG=1\nSTATUS={f'trouble: {said}' if said else 'all is well'}")
            if said and said != trouble:
                self._log("ledger.trouble", level="error", error=said)
            trouble = said

    def _tick(self) -> None:
        for flag in self._watch.tick():
            reasons = msgspec.json.decode(flag.body)["reasons"]
            self._log("ledger.flagged", level="warning", host=flag.host, cause=flag.type, reasons=reasons)
        self._signer.due()


def _config(app: App, serving: Serving) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        ssl_certfile=str(serving.certificate),
        ssl_keyfile=str(serving.certificate_key),
        ssl_context_factory=_newest_tls,
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        files = f"{serving.certificate}, {serving.certificate_key}"
        raise LedgerError(f"the certificate cannot be used: {error}", hint=files) from error
    return config


def _newest_tls(_config: uvicorn.Config, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _listening(serving: Serving) -> socket.socket:
    family = socket.AF_INET6 if ":" in serving.address else socket.AF_INET
    try:
        return socket.create_server((serving.address, serving.port), family=family, backlog=_CONNECTIONS)
    except OSError as error:
        place = f"{serving.address}:{serving.port}"
        raise LedgerError(f"cannot listen: {error.strerror}", hint=place) from error


def _give_memory_back() -> None:
    """Have glibc return what large posts used: it would keep buffers of a size that it has seen freed, for each thread."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_ARENA_MAX, 2)
