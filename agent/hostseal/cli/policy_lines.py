"""The rows of `hostseal status` for the policy in force and the decision log."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Rows = list[tuple[str, str]]


def policy_in_lines(policy: Mapping[str, Any] | None, now: datetime) -> Rows:
    """Return the rows for what the agent says of its policy engine: nothing where it does not watch one."""
    if policy is None:
        return []
    if policy["looked"] is None:
        return [("policy", "not looked at yet")]
    rows = [("policy", _policy(policy, now))]
    if policy["bundle_error"]:
        rows.append(("bundle refused", policy["bundle_error"]))
    if policy["unwatched"]:
        rows.append(("decision log", f"not watched: {policy['unwatched']}"))
        return rows
    rows += [("decision log", said) for said in _decision_log(policy)]
    return rows


def _policy(policy: Mapping[str, Any], now: datetime) -> str:
    if policy["revision"] is None:
        return "not known: OPA does not tell"
    release = policy["release"] or {}
    said = [policy["revision"], _stage(release), _issued(release, now)]
    if policy["activated"]:
        said.append(f"in force since {_moment(policy['activated']):%Y-%m-%d %H:%M:%S UTC}")
    return ", ".join(word for word in said if word)


def _stage(release: Mapping[str, Any]) -> str:
    if release.get("state") != "staged":
        return release.get("state") or ""
    parts = ", ".join(
        f"{action} {percent:g} %" for action, percent in sorted(release["stage_percent"].items())
    )
    return f"staged ({parts or 'no action'})"


def _issued(release: Mapping[str, Any], now: datetime) -> str:
    if not release.get("issued"):
        return ""
    try:
        issued = _moment(release["issued"])
    except ValueError:
        return f"issued {release['issued']}"
    age = (now - issued).total_seconds()
    limit = release.get("max_age_seconds")
    stale = f", TOO OLD, {_time(limit)} at most" if limit is not None and age > limit else ""
    return f"issued {issued:%Y-%m-%d %H:%M:%S UTC}, {_time(max(age, 0))} ago{stale}"


def _decision_log(policy: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{cause.replace('_', ' ')} since {one['since'] or 'the agent looks'}: {one['detail']}"
        for cause, one in policy["episodes"].items()
        if cause != "bundle_failed"
    ]
    if policy["dropped"]:
        lines.append(f"dropped {policy['dropped']} time(s) in all")
    return lines or ["arrives"]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _time(seconds: float) -> str:
    for size, name in ((86400, "day(s)"), (3600, "hour(s)"), (60, "minute(s)")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} second(s)"
