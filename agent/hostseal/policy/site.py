"""The site's data: which hosts, groups and automation accounts there are, and what the policies make of them."""

from collections.abc import Collection, Mapping
from typing import Any

from hostseal.policy import site_exemptions, site_rules
from hostseal.policy.site_answers import Channels, Missing, Recorded, Tolerated
from hostseal.policy.site_convert import convert, wrong
from hostseal.policy.site_exemptions import Exemptions
from hostseal.policy.site_gates import BreakGlass, Gate, Login, Replace
from hostseal.policy.site_hosts import Automation, Default, Group, SiteHost
from hostseal.policy.site_responses import Deadlines, Lockdown, Responses
from hostseal.policy.site_shape import Name, Seconds, Shape
from hostseal.policy.site_tuning import RepeatedSessions, RuleSwitch


class Site(Shape, frozen=True, kw_only=True):
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
    deadlines: Deadlines
    default: Default
    exemptions: Exemptions
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
    repeated_sessions: RepeatedSessions
    replace: Replace
    responses: Responses
    rules: dict[Name, RuleSwitch]
    sealed_file_changed: site_rules.SealedFileChanged
    spool_backlog: site_rules.SpoolBacklog
    sudoers_changed: site_rules.Listed
    unit_added: site_rules.Listed
    unknown_key: site_rules.UnknownKey
    upgrade_units: tuple[Name, ...]
    weak_key: site_rules.WeakKey


def merge(defaults: Mapping[str, Any], site: Mapping[str, Any], rules: Collection[str] | None = None) -> Site:
    """Return the site's data over the defaults: tables key by key, everything else replaced.

    `rules` are the names of all rules that judge events, where they are known. Raises PolicyError that names the key and
    what is allowed there.
    """
    whole = convert(_over(defaults, site), Site)
    for name, host in whole.hosts.items():
        for group in host.groups:
            if group not in whole.groups:
                known = ", ".join(sorted(whole.groups)) or "no group is defined"
                raise wrong(f"hosts.{name}.groups", f"{group!r} is not one of groups: {known}")
    for key, named in (
        ("gate.build_groups", whole.gate.build_groups),
        ("deadlines.groups", whole.deadlines.groups),
        ("login_window.groups", whole.login_window.groups),
    ):
        for group in named:
            if group not in whole.groups:
                raise wrong(key, f"{group!r} is not one of groups")
    site_exemptions.check(whole.exemptions, whole.hosts, whole.groups)
    if rules is not None:
        named_rules: dict[str, Collection[str]] = {
            "exemptions": whole.exemptions,
            "responses.rules": whole.responses.rules,
            "rules": whole.rules,
        }
        site_exemptions.check_rules(named_rules, rules)
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
