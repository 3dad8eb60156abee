"""Speaks to the running agent over its socket."""

import json
import os
import socket
from typing import Any

from hostseal.errors import HostsealError

TIMEOUT_SECONDS = 5.0


class NotRunningError(HostsealError):
    """Nobody answers on the agent's socket."""


def ask(message: dict[str, Any]) -> dict[str, Any]:
    """Return the agent's answer; NotRunningError when it has none within five seconds."""
    path = os.environ.get("HOSTSEAL_SOCKET", "/run/hostseal/gate.sock")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            agent.settimeout(TIMEOUT_SECONDS)
            agent.connect(path)
            agent.sendall(json.dumps(message).encode() + b"\n")
            with agent.makefile("rb") as answer:
                reply = json.loads(answer.readline(1 << 20))
    except (OSError, ValueError) as error:
        raise NotRunningError(
            f"the agent does not answer: {error}", hint="systemctl status hostseal; are you root?"
        ) from error
    if not isinstance(reply, dict):
        raise NotRunningError("the agent's answer is not understood")
    return reply
