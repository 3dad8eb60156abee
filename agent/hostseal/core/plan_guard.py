"""Is a plan of OpenTofu or Terraform exactly the one change that was asked for? Read as JSON (`show -json PLAN`)."""

from enum import StrEnum
from typing import Any

import msgspec

from hostseal.errors import PlanRefusedError

_FORMAT = "1."
_TAINTED = "replace_because_tainted"


class Expected(StrEnum):
    """The one change."""

    CREATE = "create"
    DELETE = "delete"


class StateMark(msgspec.Struct, frozen=True, kw_only=True):
    """Which state: a plan made against another one is stale."""

    lineage: str = ""
    serial: int = 0


class _Change(msgspec.Struct, frozen=True, kw_only=True):
    actions: tuple[str, ...]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    importing: Any = None


class _ResourceChange(msgspec.Struct, frozen=True, kw_only=True):
    address: str
    change: _Change
    previous_address: str | None = None
    action_reason: str | None = None


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    format_version: str
    errored: bool
    complete: bool = True
    applyable: bool = True
    resource_changes: tuple[_ResourceChange, ...] = ()
    resource_drift: tuple[Any, ...] = ()
    deferred_changes: tuple[Any, ...] = ()
    output_changes: dict[str, _Change] = {}


def address(name: str) -> str:
    """Return the address of a host's resource in playbooks/pipeline/tofu."""
    return f'module.host["{name}"].terraform_data.host'


def guard(
    document: Any, expected: Expected, host: dict[str, Any], *, planned: StateMark, now: StateMark
) -> None:
    """Raise PlanRefusedError, saying all that is wrong, unless the plan makes or removes this host and nothing else.

    `document` is the parsed plan, `host` holds slot, generation, instance and image, `planned` and `now` say which state
    the plan was made against and which there is. A host whose creation broke off (tainted) counts as one to create:
    nothing is destroyed for it, and creating finds what is there.
    """
    try:
        plan = msgspec.convert(document, _Plan)
    except msgspec.ValidationError as error:
        raise PlanRefusedError(f"the plan is not understood: {error}") from error
    wrong = [*_wrong_with_all(plan, planned, now), *_wrong_with_change(plan, expected, host)]
    if wrong:
        raise PlanRefusedError(
            f"the plan is not to {expected} {_name(host)} alone: {'; '.join(wrong)}",
            hint="nothing was applied",
        )


def _wrong_with_all(plan: _Plan, planned: StateMark, now: StateMark) -> list[str]:
    checks = (
        (not plan.format_version.startswith(_FORMAT), f"its format is {plan.format_version}, not {_FORMAT}x"),
        (plan.errored, "planning failed half way"),
        (not plan.complete or bool(plan.deferred_changes), "it leaves something for later"),
        (not plan.applyable, "it cannot be applied"),
        (bool(plan.resource_drift), "something was changed behind the state's back"),
        (planned != now, f"it was made for state {planned.serial}, and there is {now.serial} now"),
    )
    outputs = [name for name, change in plan.output_changes.items() if change.actions != ("no-op",)]
    return [said for bad, said in checks if bad] + [f"it changes output {name}" for name in outputs]


def _wrong_with_change(plan: _Plan, expected: Expected, host: dict[str, Any]) -> list[str]:
    changes = [
        one for one in plan.resource_changes if one.change.actions != ("no-op",) or one.change.importing
    ]
    wanted = address(_name(host))
    wrong = [f"{one.address}: {'+'.join(one.change.actions)}" for one in changes if one.address != wanted]
    ours = [one for one in changes if one.address == wanted]
    if len(ours) != 1:
        return [*wrong, f"it has {len(ours)} changes of {wanted}"]
    one = ours[0]
    if one.previous_address is not None or one.change.importing:
        wrong.append(f"{one.address}: moved or imported")
    again = (
        expected is Expected.CREATE
        and one.change.actions == ("delete", "create")
        and one.action_reason == _TAINTED
        and _input(one.change.before) == host
    )
    if one.change.actions != (expected.value,) and not again:
        wrong.append(f"{one.address}: {'+'.join(one.change.actions)}")
    value = one.change.before if expected is Expected.DELETE else one.change.after
    if _input(value) != host:
        wrong.append(f"{one.address}: it is about {_input(value)}")
    return wrong


def _input(value: dict[str, Any] | None) -> Any:
    return None if value is None else value.get("input")


def _name(host: dict[str, Any]) -> str:
    return f"{host['slot']}-g{host['generation']}"
