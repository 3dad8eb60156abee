"""Named events in the journal (or on standard error), one line each, with their fields."""

import os
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from systemd import journal

from hostseal.core.text import shown

_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3}


class Log(Protocol):
    """Writes one named event with its fields."""

    def __call__(self, name: str, *, level: str = "info", **fields: object) -> None:
        """Write it; never raises for what the fields hold."""


def to_journal(name: str, *, level: str = "info", **fields: object) -> None:
    """Write to the journal, each field as HOSTSEAL_NAME."""
    extra: Mapping[str, Any] = {f"HOSTSEAL_{key.upper()}": shown(str(value)) for key, value in fields.items()}
    journal.send(
        line(name, fields),
        PRIORITY=_PRIORITY[level],
        SYSLOG_IDENTIFIER="hostseal",
        HOSTSEAL_EVENT=name,
        **extra,
    )


def to_standard_error(name: str, *, level: str = "info", **fields: object) -> None:
    """Write to standard error; a service's goes to the journal, with its level."""
    sys.stderr.write(
        f"<{_PRIORITY[level]}>{line(name, fields)}\n" if _under_systemd() else f"{line(name, fields)}\n"
    )
    sys.stderr.flush()


def _under_systemd() -> bool:
    return "JOURNAL_STREAM" in os.environ


def line(name: str, fields: Mapping[str, object]) -> str:
    """Return the event as one line that is safe to show."""
    return " ".join(
        [name, *(f"{key}={shown(str(value))}" for key, value in fields.items() if value is not None)]
    )
