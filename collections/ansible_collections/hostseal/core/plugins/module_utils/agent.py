# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What modules ask the host's agent, through its own command line."""

from __future__ import annotations

import json

EXECUTABLE = "/opt/hostseal/bin/hostseal"
# Exit codes of `hostseal status` that come with a report: sealed, agent not running, flagged, suspect.
_REPORTS = (0, 3, 4, 5)

OPTIONS = {"executable": {"type": "path", "default": EXECUTABLE}}


def standing(module):
    """Return the host's standing as the modules return it; fail the module when it cannot be read."""
    report = _json(module, ["status", "--json"], _REPORTS)
    found, running = report["standing"], report["agent"]
    incident = found.get("incident") or {}
    return {
        "state": found["state"],
        "flagged": found["state"] == "flagged",
        "incident": incident.get("id"),
        "opened": incident.get("opened"),
        "deadline": incident.get("deadline"),
        "reasons": list(incident.get("reasons") or []),
        "agent_running": running is not None,
        "mode": running["host"]["mode"] if running else None,
    }


def raise_flag(module, person, reason):
    """Ask the agent to flag the host; return its receipt. Person and reason are arguments, never a shell's words."""
    return _json(module, ["flag", "raise", "--person=" + person, "--reason=" + reason], (0,))


def lockdown(module):
    """Return the host's lockdown as the module returns it; fail the module when it cannot be read."""
    report = _json(module, ["status", "--json"], _REPORTS)
    found, running = report["lockdown"], report["agent"]
    return {
        "level": found["level"],
        "in_force": running["lockdown"]["in_force"] if running else None,
        "incident": found["incident"],
        "since": found["since"],
        "reasons": list(found["reasons"]),
    }


def ask_lockdown(module, level, person, reason):
    """Ask the agent for a level; return its receipt. Person and reason are arguments, never a shell's words."""
    words = ["lockdown", "request", "--person=" + person, "--reason=" + reason, "--", level]
    return _json(module, words, (0,))


def _json(module, arguments, good):
    command = [module.params["executable"]] + arguments
    try:
        status, output, errors = module.run_command(command, handle_exceptions=False)
    except OSError as error:
        module.fail_json(msg="%s cannot be run: %s; is the agent installed here?" % (command[0], error.strerror))
    if status not in good:
        module.fail_json(msg="%s: %s" % (" ".join(command[:3]), errors.strip() or output.strip()), rc=status)
    try:
        return json.loads(output)
    except ValueError:
        module.fail_json(msg="%s said something that is not JSON" % " ".join(command[:3]), rc=status)
