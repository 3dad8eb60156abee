"""Reports the certificates that sshd refused. Anybody who reaches the port can offer them, so what is reported is bounded."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hostseal.core.certificate_lines import Reader, read
from hostseal.core.event import EventType
from hostseal.core.flood import Flood, passed
from hostseal.ports import Emit

PER_MINUTE = 30


class CertificateWitness:
    """Follows sshd's lines, one journal entry after the other."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._reader, self._flood = Reader(), Flood()

    def take(self, fields: Mapping[str, Any], cursor: str, seconds: float) -> None:
        """Report what `fields` (of the entry at `cursor`, written at `seconds` since 1970) make certain. SpoolError."""
        self._reader, refusal = read(self._reader, fields)
        if refusal is None:
            return
        self._flood, reported, unreported = passed(self._flood, seconds, PER_MINUTE)
        if reported:
            data = {**msgspec.to_builtins(refusal), "unreported": unreported}
            self._emit(EventType.CERTIFICATE_REFUSED, data, sensor="journal", key=f"certificate:{cursor}")
