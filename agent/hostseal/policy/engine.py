"""The policy engine: a real OPA, asked through opa-python-client (facts: opa-python-client 3.0.0)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from opa_client.opa import OpaClient

from hostseal.core.decision import parse
from hostseal.core.event import Event, question
from hostseal.core.standing import Standing
from hostseal.core.standing import question as standing_question
from hostseal.errors import ConfigError, NoAnswerError, UndefinedDecisionError
from hostseal.policy.answer import Answer
from hostseal.policy.session import PolicySession

EVENT_DECISION = "hostseal/event/decision"


class OpaEngine:
    """Asks one OPA; its certificate is pinned to one authority, its token read from a file at each connection."""

    def __init__(self, url: str, *, ca: Path | None, token_file: Path | None, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not parts.port:
            raise ConfigError(f"opa.url: {url!r} is not like https://127.0.0.1:8181")
        self._parts, self._ca, self._token_file, self._timeout = parts, ca, token_file, timeout_seconds
        self._client: OpaClient | None = None

    def decide(self, event: Event, standing: Standing) -> Answer:
        """Return OPA's decision on an event; NoAnswerError when it has none, Undefined when it is not a decision."""
        asked = {"event": question(event), "standing": standing_question(standing, event)}
        return self.ask(EVENT_DECISION, asked)

    def ask(self, entry_point: str, question: dict[str, Any]) -> Answer:
        """Return OPA's decision at an entry point (`hostseal/play/decision`); raises as :meth:`decide` does."""
        reply = self._ask(entry_point, question)
        decision_id = reply.get("decision_id")
        if not isinstance(decision_id, str):
            raise NoAnswerError("OPA's answer has no decision id", hint="its decision log is off")
        return Answer(decision_id=decision_id, decision=parse(reply.get("result")))

    def check(self) -> None:
        """Raise NoAnswerError unless OPA says that its bundle and plugins are in order. No decision is asked for."""
        try:
            healthy = self._connected().check_health({"bundles": "true", "plugins": "true"})
        except (OSError, ValueError) as error:
            raise NoAnswerError(f"OPA cannot be asked: {_cause(error)}", hint=self._parts.geturl()) from error
        if not healthy:
            raise NoAnswerError("OPA does not answer, or has no bundle in force", hint=self._parts.geturl())

    def _ask(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        try:
            reply = self._connected().query_rule(input_data=question, package_path=path)
        except (requests.RequestException, OSError, ValueError) as error:
            self._client = None
            raise NoAnswerError(f"OPA gave no answer: {_cause(error)}", hint=self._parts.geturl()) from error
        if not isinstance(reply, dict):
            raise NoAnswerError("OPA's answer is not an object", hint=self._parts.geturl())
        if "result" not in reply:
            raise UndefinedDecisionError(f"{path} is undefined for this input", hint="is the bundle loaded?")
        return reply

    def _connected(self) -> OpaClient:
        if self._client is None:
            token = None if self._token_file is None else self._token_file.read_text("ascii").strip()
            client = OpaClient(
                host=self._parts.hostname, port=self._parts.port, ssl=self._parts.scheme == "https",
                token=token, retries=0, timeout=self._timeout,
            )  # fmt: skip
            client._session.close()  # noqa: SLF001 - the library has no setting for it
            client._session = PolicySession(token, self._ca)  # noqa: SLF001
            self._client = client
        return self._client


def _cause(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    return f"{type(error).__name__}: {str(error)[:200]}"
