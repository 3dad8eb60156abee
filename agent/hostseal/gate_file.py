"""The login gate's state on disk: what the agent knows, and what the PAM hook does when it cannot ask the agent."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from hostseal import durable
from hostseal.config.settings import GateSettings
from hostseal.core.arming import Arming
from hostseal.core.event import from_timestamp
from hostseal.errors import SpoolError


class GateFile:
    """Holds the arming; every change is on disk before it counts. Format: `name=value` fields, each ended by a zero byte."""

    def __init__(self, path: Path, settings: GateSettings) -> None:
        """Read the file; a missing one is a gate that is off. Raises SpoolError when it cannot be read."""
        self._path, self._settings = path, settings
        self._lock = threading.Lock()
        self._automation: tuple[str, ...] = ()
        self._arming = read(path)

    @property
    def now(self) -> Arming:
        """The arming as it is on disk."""
        return self._arming

    def change(self, next_arming: Callable[[Arming], Arming], tell: Callable[[Arming, Arming], None]) -> None:
        """Apply a pure change. `tell` puts what was and what will be on record before that counts (law 1); OSError: nothing changed."""
        with self._lock:
            before = self._arming
            after = next_arming(before)
            if after != before:
                tell(before, after)
                self._write(after)
                self._arming = after

    def keep(self, settings: GateSettings, automation: tuple[str, ...]) -> None:
        """Leave the hook these settings and automation's accounts."""
        with self._lock:
            changed = (settings, automation) != (self._settings, self._automation)
            self._settings, self._automation = settings, automation
            if changed or not self._path.exists():
                self._write(self._arming)

    def _write(self, arming: Arming) -> None:
        ends = _seconds(arming.until)
        fields = {
            **{name: value or "" for name, value in msgspec.to_builtins(arming).items()},
            "ends": f"{ends:.0f}",
            "automation": ",".join(self._automation),
            **{name: str(value) for name, value in msgspec.to_builtins(self._settings).items()},
        }
        durable.write(self._path, "".join(f"{name}={value}\0" for name, value in fields.items()).encode())


def read(path: Path) -> Arming:
    """Return the arming in a file, off when there is none; SpoolError when it cannot be understood."""
    try:
        text = path.read_bytes().decode()
        fields = dict(field.split("=", 1) for field in text.split("\0") if field)
        # The state is always there: what lacks it was cut short, and is no gate that is off.
        known = {name: fields.get(name) or None for name in Arming.__struct_fields__}
        known["state"] = fields["state"]
        return msgspec.convert({name: value for name, value in known.items() if value is not None}, Arming)
    except FileNotFoundError:
        return Arming()
    except (OSError, KeyError, ValueError, msgspec.ValidationError) as error:
        raise SpoolError(f"the login gate's state cannot be read: {error}", hint=str(path)) from error


def _seconds(moment: str | None) -> float:
    return from_timestamp(moment).timestamp() if moment else 0.0
