"""What an action's run is asked to do, and what came of it: two small files in the action's own directory."""

from pathlib import Path

import msgspec

from hostseal import durable
from hostseal.errors import ActionError


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One try of one action. `declared` maps each path it may write to the SHA-256 it must have, null for absent."""

    id: str
    action: str
    incident: str
    attempt: int
    time_limit_seconds: float
    playbooks: str
    declared: dict[str, str | None]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one try; `output` is the end of the playbook's output."""

    attempt: int
    ok: bool
    message: str
    output: str = ""


class ActionFolder:
    """The directory of one action below the agent's state."""

    def __init__(self, state: Path, action_id: str) -> None:
        self.path = state / "actions" / action_id

    def put(self, name: str, content: bytes) -> None:
        """Store what the action's playbook is to read as data."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.write(self.path / name, content)

    def ask(self, request: Request) -> None:
        """Store the request."""
        self.put("request.json", msgspec.json.encode(request))

    def request(self) -> Request:
        """Return the request; ActionError when there is none."""
        try:
            return msgspec.json.decode((self.path / "request.json").read_bytes(), type=Request)
        except (OSError, msgspec.DecodeError) as error:
            raise ActionError(f"there is no such action: {error}", hint=str(self.path)) from error

    def answer(self, result: Result) -> None:
        """Store the result."""
        durable.write(self.path / "result.json", msgspec.json.encode(result))

    def result(self, attempt: int) -> Result | None:
        """Return the result of that try, None while there is none."""
        try:
            found = msgspec.json.decode((self.path / "result.json").read_bytes(), type=Result)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise ActionError(f"the action's result cannot be read: {error}", hint=str(self.path)) from error
        return found if found.attempt == attempt else None


def declared_since(state: Path, action_id: str) -> dict[bytes, frozenset[str | None]]:
    """Return what each path that the action declared may hold: what it declared, or a later action did.

    A change set is looked at when it closes; another action may have written the same path by then. ActionError
    when there is no such action.
    """
    own = ActionFolder(state, action_id)
    paths = own.request().declared
    began = (own.path / "request.json").stat().st_mtime_ns
    later = [
        ActionFolder(state, file.parent.name).request().declared
        for file in (state / "actions").glob("*/request.json")
        if file.stat().st_mtime_ns >= began
    ]
    return {path.encode(): frozenset(one[path] for one in later if path in one) for path in paths}
