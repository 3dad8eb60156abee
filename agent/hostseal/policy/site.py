"""The site's data: which hosts, groups and automation accounts there are, and what the policies make of them."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec import inspect as shapes

from hostseal.core.certificate_lines import Why
from hostseal.errors import PolicyError
from hostseal.policy import site_rules

Name = Annotated[str, Meta(min_length=1)]
Fingerprint = Annotated[str, Meta(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
Seconds = Annotated[int, Meta(ge=1)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Attempts = Annotated[int, Meta(ge=1)]

T = TypeVar("T")


class Mode(StrEnum):
    """How far the policies go on a host."""

    OBSERVE = "observe"
    FLAG = "flag"
    ENFORCE = "enforce"


class HostClass(StrEnum):
    """Whether a host may be replaced by a new one."""

    IMMUTABLE = "immutable"
    MUTABLE = "mutable"


class ChannelAnswer(StrEnum):
    """What a person's channel of one kind does to a suspect host."""

    FLAG = "flag"
    LIFT = "lift"


class Missing(StrEnum):
    """The witness whose silence about a login may flag a host: core/session.py."""

    PAM = "pam"
    JOURNAL = "journal"
    SSHD = "sshd"


class Tolerated(StrEnum):
    """What an expected change of sealed files does: nothing beyond its event, a finding, or a flag."""

    ALLOW = "allow"
    RECORD = "record"
    FLAG = "flag"


class Recorded(StrEnum):
    """What something that is on record in any case does besides, when it is a person's."""

    RECORD = "record"
    FLAG = "flag"


class _Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of the site's data have in common: unknown keys are errors."""


class Automation(_Shape, frozen=True, kw_only=True):
    """The accounts of automation and, when any are listed, the keys that prove it."""

    accounts: tuple[Name, ...]
    key_fingerprints: tuple[Fingerprint, ...]


class Default(_Shape, frozen=True, kw_only=True):
    """What holds for a host of which nothing else is said."""

    mode: Mode
    host_class: HostClass = msgspec.field(name="class")


class Group(_Shape, frozen=True, kw_only=True):
    """What holds for the hosts of a group."""

    mode: Mode | UnsetType = UNSET
    host_class: HostClass | UnsetType = msgspec.field(name="class", default=UNSET)


class SiteHost(_Shape, frozen=True, kw_only=True):
    """What holds for one host."""

    mode: Mode | UnsetType = UNSET
    host_class: HostClass | UnsetType = msgspec.field(name="class", default=UNSET)
    groups: tuple[Name, ...] = ()


class BreakGlass(_Shape, frozen=True, kw_only=True):
    """Which certificates are taken for break-glass, and how far one goes.

    `authorities` are keys by fingerprint, `extensions` OpenSSH's own; `flag_on_refused` names the causes of refusals
    (`revoked`) that break the seal.
    """

    authorities: tuple[Fingerprint, ...]
    extensions: tuple[Name, ...]
    flag_on_refused: tuple[Why, ...]
    max_seconds: Seconds
    max_total_seconds: Seconds
    ticket_pattern: Name


class Login(_Shape, frozen=True, kw_only=True):
    """What a login by break-glass costs (seconds until the host is replaced), and how one asks for it."""

    deadline_seconds: Seconds
    how_to_ask: Name


class Channels(_Shape, frozen=True, kw_only=True):
    """The answer for each kind of channel."""

    shell: ChannelAnswer
    shell_no_pty: ChannelAnswer
    command: ChannelAnswer
    command_with_pty: ChannelAnswer
    interactive_command: ChannelAnswer
    sftp: ChannelAnswer
    scp: ChannelAnswer
    subsystem: ChannelAnswer
    forward: ChannelAnswer


class Gate(_Shape, frozen=True, kw_only=True):
    """What plays may do to sealed hosts.

    Roles are named by the collection they come from. Hosts of `build_groups` are where images are made; `controllers`
    are names of the machine a play runs from. A site adds to `read_only_modules`, or takes one back by `false`.
    """

    allowed_collections: tuple[Name, ...]
    allowed_roles: tuple[Name, ...]
    build_groups: tuple[Name, ...]
    controllers: tuple[Name, ...]
    read_only_modules: dict[Name, bool]
    rerouting_variables: tuple[Name, ...]


class Replace(_Shape, frozen=True, kw_only=True):
    """How often the replacement of one host may fail before a person must look."""

    attempts: Attempts


class Response(StrEnum):
    """What a finding may be answered with on a host in mode `enforce`, beyond its flag."""

    TERMINATE_SESSION = "terminate_session"
    LOCKDOWN_AUTOMATION_ONLY = "lockdown_automation_only"
    LOCKDOWN_CLOSED = "lockdown_closed"


class Severities(_Shape, frozen=True, kw_only=True, omit_defaults=True):
    """The responses to all findings of a severity."""

    low: tuple[Response, ...] = ()
    medium: tuple[Response, ...] = ()
    high: tuple[Response, ...] = ()
    critical: tuple[Response, ...] = ()


class Responses(_Shape, frozen=True, kw_only=True):
    """The responses to the findings of a rule, by its name, and to those of a severity; both count."""

    rules: dict[Name, tuple[Response, ...]]
    severities: Severities


class ExistingSessions(StrEnum):
    """What becomes of the SSH sessions of persons that are open when a lockdown comes into force."""

    KEEP = "keep"
    TERMINATE = "terminate"


class Lockdown(_Shape, frozen=True, kw_only=True):
    """How a lockdown is done, and on how many of a hundred hosts this revision may do it."""

    existing_sessions: ExistingSessions
    stage_percent: Percent
    without_break_glass: bool


class Site(_Shape, frozen=True, kw_only=True):
    """All of it, as the policies read it at `data.hostseal.site`."""

    accounts_changed: site_rules.Listed
    agent_tampered: site_rules.Listed
    authorized_keys_changed: site_rules.Listed
    automation: Automation
    automation_changes: Tolerated
    blind_too_long: site_rules.BlindTooLong
    boot_changed: site_rules.Listed
    break_glass: BreakGlass
    channel: Channels
    deadline_seconds: Seconds
    default: Default
    flag_on_disagreement: tuple[Missing, ...]
    flag_on_loss: tuple[Name, ...]
    gate: Gate
    groups: dict[Name, Group]
    hosts: dict[Name, SiteHost]
    image_age: site_rules.ImageAge
    images_revoked: dict[site_rules.ImageDigest, Name]
    left_behind: Recorded
    lockdown: Lockdown
    login: Login
    login_window: site_rules.LoginWindow
    mutable_debt: site_rules.MutableDebt
    package_installed: site_rules.PackageInstalled
    package_upgrades: Tolerated
    privilege: Recorded
    replace: Replace
    responses: Responses
    rules: dict[Name, site_rules.RuleSwitch]
    sealed_file_changed: site_rules.SealedFileChanged
    spool_backlog: site_rules.SpoolBacklog
    sudoers_changed: site_rules.Listed
    unit_added: site_rules.Listed
    unknown_key: site_rules.UnknownKey
    upgrade_units: tuple[Name, ...]
    weak_key: site_rules.WeakKey


def merge(defaults: Mapping[str, Any], site: Mapping[str, Any]) -> Site:
    """Return the site's data over the defaults: tables key by key, everything else replaced.

    Raises PolicyError that names the key and what is allowed there.
    """
    merged = _over(defaults, site)
    for section, kind in (("groups", Group), ("hosts", SiteHost)):
        entries = merged.get(section)
        for name, entry in entries.items() if isinstance(entries, Mapping) else ():
            _convert(entry, kind, f"{section}.{name}")
    whole = _convert(merged, Site, "")
    for name, host in whole.hosts.items():
        for group in host.groups:
            if group not in whole.groups:
                known = ", ".join(sorted(whole.groups)) or "no group is defined"
                raise PolicyError(
                    f"hosts.{name}.groups: {group!r} is not one of groups: {known}", hint="site data"
                )
    for group in whole.gate.build_groups:
        if group not in whole.groups:
            raise PolicyError(f"gate.build_groups: {group!r} is not one of groups", hint="site data")
    for group in whole.login_window.groups:
        if group not in whole.groups:
            raise PolicyError(f"login_window.groups: {group!r} is not one of groups", hint="site data")
    return whole


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        if isinstance(lower, Mapping) and isinstance(value, Mapping):
            merged[key] = _over(lower, value)
        else:
            merged[key] = value
    return merged


def _convert(value: Any, kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        steps = re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", path)
        key = "".join([where, *(f".{name}" if name else f"[{index}]" for name, index in steps)]).lstrip(".")
        allowed = _allowed(kind, [name for name, _ in steps])
        raise PolicyError(f"{key or 'the site data'}: {what}{allowed}", hint="site data") from error


def _allowed(kind: type, steps: list[str]) -> str:
    """Say which keys or values there are at the end of the path."""
    node: shapes.Type = shapes.type_info(kind)
    for step in steps:
        if isinstance(node, shapes.StructType):
            node = next(field.type for field in node.fields if field.encode_name == step)
        elif isinstance(node, shapes.VarTupleType):
            node = node.item_type
        elif isinstance(node, shapes.DictType):
            node = node.value_type
        if isinstance(node, shapes.UnionType):
            node = next(one for one in node.types if isinstance(one, shapes.EnumType))
    if isinstance(node, shapes.EnumType):
        return f"; allowed: {', '.join(node.cls)}"
    if isinstance(node, shapes.StructType):
        return f"; allowed keys: {', '.join(field.encode_name for field in node.fields)}"
    return ""
