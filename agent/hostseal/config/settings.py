"""The agent's settings: closed types with their defaults. The one source for parser, defaults and reference."""

from enum import StrEnum
from pathlib import Path

import msgspec

from hostseal.config.files import FilesSettings
from hostseal.config.seal import SealSettings


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[agent] `name`: this host's name in the policy's data; empty means the machine's host name."""

    name: str = ""
    state: str = "/var/lib/hostseal"
    heartbeat_seconds: float = 3600.0


class OpaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[opa] where the policy engine answers, whose certificate and token; how often it is looked at."""

    url: str = "https://127.0.0.1:8181"
    ca: str = "/etc/hostseal/opa/ca.pem"
    token_file: str = "/etc/hostseal/opa/token"  # noqa: S105 - a file's name
    timeout_seconds: float = 1.0
    watch_seconds: float = 15.0


class OnFailure(StrEnum):
    """What the login gate does when it has no answer from the policy."""

    DENY = "deny"
    ALLOW = "allow"
    ALLOW_AND_FLAG = "allow_and_flag"


class GateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[gate] how long a login may wait, when an unconfirmed arming reverts, and what is done without an answer."""

    limit_seconds: float = 2.0
    revert_seconds: float = 600.0
    on_failure_person: OnFailure = OnFailure.ALLOW_AND_FLAG
    on_failure_automation: OnFailure = OnFailure.ALLOW_AND_FLAG
    on_failure_break_glass: OnFailure = OnFailure.ALLOW_AND_FLAG


class ActionsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[actions] the playbooks' directory, the time limit of one run, and how often one is tried."""

    playbooks: str = "/etc/hostseal/playbooks"
    time_limit_seconds: float = 300.0
    attempts: int = 8


class PardonSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[pardon] the public key (Ed25519, PEM) whose owner may take a flag back."""

    public_key: str = "/etc/hostseal/pardon.pub"


class SpoolSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[spool] how many undecided events may wait, how many finished ones are kept, and the session events' reserve."""

    pending_limit: int = 20_000
    kept: int = 100_000
    reserve_bytes: int = 1 << 20


class LedgerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[ledger] where it answers (empty: off), its certificate's authority, this host's token, its longest silence."""

    url: str = ""
    ca: str = "/etc/hostseal/ledger/ca.pem"
    token_file: str = "/etc/hostseal/ledger/token"  # noqa: S105 - a file's name
    heartbeat_seconds: float = 30.0


class SessionsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[sessions] `record_commands`: keep what is executed inside SSH sessions; off, for it tells much of people."""

    record_commands: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings."""

    agent: AgentSettings = AgentSettings()
    opa: OpaSettings = OpaSettings()
    files: FilesSettings = msgspec.field(default_factory=FilesSettings)
    seal: SealSettings = SealSettings()
    gate: GateSettings = GateSettings()
    actions: ActionsSettings = ActionsSettings()
    pardon: PardonSettings = PardonSettings()
    spool: SpoolSettings = SpoolSettings()
    ledger: LedgerSettings = LedgerSettings()
    sessions: SessionsSettings = SessionsSettings()

    @property
    def state(self) -> Path:
        """The agent's state directory."""
        return Path(self.agent.state)
