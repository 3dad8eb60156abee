"""What looks at the policy engine add up to: episodes of trouble, each told when it begins and when it is over."""

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from hostseal.core import policy_revision

SENSOR = "decision log"
# One look may fall into a restart. What lasts for two is told; what happened, whatever comes after, is told at once.
PATIENCE = 2


class Cause(StrEnum):
    """What is wrong with the policy engine."""

    OPA_DOWN = "opa_down"
    BUNDLE_FAILED = "bundle_failed"
    BUNDLE_ROLLED_BACK = "bundle_rolled_back"
    UPLOAD_FAILED = "upload_failed"
    DROPPED = "dropped"


_SCOPES = {
    Cause.OPA_DOWN: "decisions: OPA does not answer, and events wait",
    Cause.BUNDLE_FAILED: "the policy: OPA does not take the bundle it was given",
    Cause.BUNDLE_ROLLED_BACK: "the policy: one that was issued before came back into force",
    Cause.UPLOAD_FAILED: "the ledger's copy of the decision log: OPA cannot send it",
    Cause.DROPPED: "the ledger's copy of the decision log: OPA threw entries away unsent",
}


_HAPPENED = {Cause.DROPPED, Cause.BUNDLE_ROLLED_BACK}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One look. `status` is None where OPA answers and does not tell its status (`why` says what it says instead)."""

    down: str | None = None
    no_bundle: str | None = None
    status: "Status | None" = None
    why: str | None = None


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself; None is what it does not say. `stage_percent` is by action, while it is staged."""

    issued: str | None = None
    max_age_seconds: int | None = None
    state: str | None = None
    stage_percent: dict[str, float] = {}


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What OPA tells of itself. `instance` is another one after each start, and `dropped` counts from it on."""

    instance: str
    revision: str | None = None
    activated: str | None = None
    bundle_error: str | None = None
    upload_error: str | None = None
    dropped: int = 0
    release: Release = Release()


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble: since the last look that found nothing, in so many looks, and whether it was told."""

    since: str | None
    detail: str
    looks: int = 1
    count: int = 0
    told: bool = False


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told: that a trouble began (`until` is None), or that it is over."""

    cause: Cause
    since: str | None
    until: str | None
    detail: str
    count: int

    def data(self) -> dict[str, object]:
        """Return the data of a `sensor.lost` event."""
        detail: dict[str, object] = {"error": self.detail}
        if self.cause is Cause.DROPPED:
            detail["count"] = self.count
        return {
            "sensor": SENSOR, "cause": str(self.cause), "since": self.since, "until": self.until,
            "scope": _SCOPES[self.cause], "rescanned": False, "detail": detail,
        }  # fmt: skip


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What is known so far, to be kept across a restart of the agent: its episodes are told once nevertheless.

    `newest` is the policy's revision that was issued last.
    """

    episodes: dict[str, Episode] = {}
    good: dict[str, str] = {}
    newest: str | None = None
    instance: str | None = None
    dropped: int = 0
    lost: int = 0


def look(before: Watched, seen: Seen, now: str) -> tuple[Watched, tuple[News, ...]]:
    """Return what is known after a look, and what is to be told of it. Nothing is concluded from what was not seen."""
    after, news = before, list[News]()
    for cause, (found, gone) in _findings(before, seen).items():
        episode = after.episodes.get(cause)
        if found is None:
            if episode is not None:
                if episode.told:
                    news.append(_news(cause, episode, now))
                after = replace(after, episodes={k: v for k, v in after.episodes.items() if k != cause})
            after = replace(after, good={**after.good, cause: now})
            continue
        episode = (
            Episode(since=after.good.get(cause), detail=found, count=gone)
            if episode is None
            else replace(episode, detail=found, looks=episode.looks + 1, count=episode.count + gone)
        )
        if not episode.told and (cause in _HAPPENED or episode.looks >= PATIENCE):
            episode = replace(episode, told=True)
            news.append(_news(cause, episode, None))
        after = replace(after, episodes={**after.episodes, cause: episode}, lost=after.lost + gone)
    if seen.status is not None:
        newest = policy_revision.newest(after.newest, seen.status.revision)
        after = replace(after, instance=seen.status.instance, dropped=seen.status.dropped, newest=newest)
    return after, tuple(news)


def lasting(known: Watched) -> Watched:
    """Return what outlives the agent: when the last good looks were does not, for nobody looked afterwards."""
    return replace(known, good={})


def _news(cause: Cause, episode: Episode, until: str | None) -> News:
    return News(cause=cause, since=episode.since, until=until, detail=episode.detail, count=episode.count)


def _findings(before: Watched, seen: Seen) -> dict[Cause, tuple[str | None, int]]:
    """Return for each cause that this look tells something of: what is wrong, if anything, and how much is gone."""
    found: dict[Cause, tuple[str | None, int]] = {Cause.OPA_DOWN: (seen.down, 0)}
    if seen.down is not None:
        return found
    status = seen.status
    if seen.no_bundle is not None or status is not None:
        found[Cause.BUNDLE_FAILED] = ((status.bundle_error if status else None) or seen.no_bundle, 0)
    if status is not None and status.revision is not None:
        found[Cause.BUNDLE_ROLLED_BACK] = (policy_revision.went_back(before.newest, status.revision), 0)
    if status is not None:
        found[Cause.UPLOAD_FAILED] = (status.upload_error, 0)
        found[Cause.DROPPED] = _dropped(before, status)
    return found


def _dropped(before: Watched, status: Status) -> tuple[str | None, int]:
    restarted = before.instance not in {None, status.instance}
    base = before.dropped if before.instance == status.instance else 0
    gone = status.dropped - base
    if restarted and Cause.UPLOAD_FAILED in before.episodes:
        return (
            "OPA was started again while it could not send: what waited is gone, how much is not known",
            max(gone, 0),
        )
    if gone > 0:
        return f"{gone} times since the last look, an entry or a batch of them", gone
    return None, 0
