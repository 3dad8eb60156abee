"""Puts the controller together from its settings."""

import getpass
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hostseal.clock import SystemClock
from hostseal.fleet.controller import Ports
from hostseal.fleet.evidence import EvidencePack
from hostseal.fleet.haproxy import HaProxy
from hostseal.fleet.machines import TofuMachines
from hostseal.fleet.policy import ReplacePolicy
from hostseal.fleet.record import LedgerFlags, LedgerJournal
from hostseal.fleet.settings import FleetSettings
from hostseal.fleet.verifier import HostVerifier
from hostseal.images.catalogue import Catalogue
from hostseal.launcher import Launcher
from hostseal.ledger.book import Ledger
from hostseal.policy.engine import OpaEngine
from hostseal.tofu.workspace import Workspace


class _Current:
    """The Images port over the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def current(self) -> str:
        return self._catalogue.current().digest


@contextmanager
def assembled(settings: FleetSettings, tell: Callable[[str, str], None]) -> Iterator[Ports]:
    """Yield the controller's ports. LedgerError, LauncherError or ConfigError when a part of it cannot be used."""
    pipeline, service, balancer = settings.pipeline, settings.service, settings.balancer
    catalogue = Catalogue(Path(pipeline.catalogue))
    launcher = Launcher(Path(pipeline.launcher), pipeline.environment)
    opa = settings.opa
    engine = OpaEngine(
        opa.url,
        ca=Path(opa.ca) if opa.ca else None,
        token_file=Path(opa.token_file) if opa.token_file else None,
        timeout_seconds=opa.timeout_seconds,
    )
    with Ledger(Path(settings.fleet.ledger), SystemClock()) as ledger:
        yield Ports(
            flags=LedgerFlags(ledger),
            policy=ReplacePolicy(engine, catalogue, getpass.getuser()),
            images=_Current(catalogue),
            evidence=EvidencePack(ledger, launcher, Path(settings.fleet.evidence)),
            machines=TofuMachines(Workspace(Path(pipeline.configuration), Path(pipeline.state), launcher)),
            verifier=HostVerifier(launcher, catalogue, service.port, service.path, seconds=service.seconds),
            balancer=HaProxy(Path(balancer.socket), balancer.backend, service.port, seconds=balancer.seconds),
            journal=LedgerJournal(ledger),
            now=lambda: datetime.now(UTC),
            new_id=lambda: str(uuid.uuid4()),
            tell=tell,
        )
