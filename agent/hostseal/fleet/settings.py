"""The controller's settings: one TOML file, /etc/hostseal/fleet.toml unless told."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(gt=0)]
Attempts = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Text = Annotated[str, Meta(min_length=1)]

FILE = Path("/etc/hostseal/fleet.toml")


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all sections have in common: unknown keys are errors."""


class Controller(_Section, frozen=True, kw_only=True):
    """[fleet] `ledger`: the ledger's data directory; `evidence`: where archives are kept; `attempts` before a quarantine."""

    ledger: Text = "/var/lib/hostseal-ledger"
    evidence: Text = "/var/lib/hostseal-fleet/evidence"
    attempts: Attempts = 3


class Policy(_Section, frozen=True, kw_only=True):
    """[opa] where `hostseal/replace/decision` is asked; `ca` and `token_file` may be empty for http on the loopback."""

    url: Text
    ca: str = ""
    token_file: str = ""
    timeout_seconds: Seconds = 5.0


class Pipeline(_Section, frozen=True, kw_only=True):
    """[pipeline] the images' catalogue, the launcher with its variables, and OpenTofu's configuration and state."""

    catalogue: Text
    launcher: Text
    configuration: Text
    state: Text = "/var/lib/hostseal-fleet/tofu"
    environment: dict[str, str] = {}


class Service(_Section, frozen=True, kw_only=True):
    """[service] what a host must answer before it serves; `seconds` bounds the wait for each thing that is looked at."""

    port: Port
    path: Text = "/"
    seconds: Seconds = 60.0


class Balancer(_Section, frozen=True, kw_only=True):
    """[balancer] HAProxy's runtime socket, and the backend with two lines for each slot."""

    socket: Text
    backend: Text
    seconds: Seconds = 30.0


class FleetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings."""

    opa: Policy
    pipeline: Pipeline
    service: Service
    balancer: Balancer
    fleet: Controller = Controller()
