"""The gates, and how each is asked while something is wrong with the policy engine."""

from collections.abc import Callable

from hostseal.config.settings import OnFailure
from integration.failures.gates_of_hosts import event, health, login
from integration.failures.gates_of_operators import grant, play, play_check, replace
from integration.failures.row import Place, Row

GATES: dict[str, tuple[str, Callable[[Place], Row]]] = {
    "health": ("OPA's health, as `hostseal doctor` and the agent's watch look at it", health),
    "event": ("The agent's decision on an event", event),
    "login_flag": (
        'The login gate, armed, `on_failure_person = "allow_and_flag"` (the default)',
        lambda place: login(place, OnFailure.ALLOW_AND_FLAG),
    ),
    "login_deny": (
        'The login gate, armed, `on_failure_person = "deny"`',
        lambda place: login(place, OnFailure.DENY),
    ),
    "play_refuse": (
        "The gate in a play, `on_failure: refuse` (the default)",
        lambda place: play(place, "refuse"),
    ),
    "play_allow": ("The gate in a play, `on_failure: allow`", lambda place: play(place, "allow")),
    "play_check": ("`hostseal play check`", play_check),
    "replace": ("`hostseal fleet once`", replace),
    "grant": ("`hostseal break-glass grant`", grant),
}
