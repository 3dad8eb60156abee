"""The seal, its scans and the file sensor's counts, for people."""

from collections.abc import Mapping
from typing import Any

from hostseal.core.event import in_words

Rows = list[tuple[str, str]]


def seal_in_lines(seal: Mapping[str, Any] | None, counts: Mapping[str, Any] | None) -> Rows:
    """Return the rows of `hostseal status` for what the agent says of the seal and of the changes it took."""
    rows: Rows = []
    if seal is not None:
        rows.append(("seal", _state(seal)))
        rows += _scans(seal["scans"])
    if counts is not None:
        spooled, lost = counts["spooled"], counts["losses"]["seen"]
        said = f"{counts['changes']} seen, {counts['waiting']} wait, {spooled['changes']} recorded in"
        rows.append(
            ("file changes", f"{said} {spooled['sets']} event(s), {lost} time(s) something was missed")
        )
    return rows


def _state(seal: Mapping[str, Any]) -> str:
    state = seal["state"]
    if state == "none":
        return f"none, every watched path counts as unsealed: {seal['why']}"
    if state == "untrusted":
        return f"UNTRUSTED, {seal['why']}"
    if state == "unknown":
        return seal["why"] or f"not known yet: a scan of {seal['entries']} paths is to end first"
    as_of = f"as of {in_words(seal['as_of'])}" if seal["as_of"] else "as it was last known"
    if state == "broken":
        return f"BROKEN, {seal['differences']} difference(s) on record, {as_of}"
    return f"intact {as_of}, {seal['entries']} paths of {seal['image']}"


def _scans(scans: Mapping[str, Any]) -> Rows:
    rows = [("scan", f"{_job(job)}, waits") for job in scans["waiting"]]
    if running := scans["running"]:
        rows.insert(0, ("scan", f"{_job(running)}, runs as process {running['pid']}"))
    rows += [
        ("scan given up", f"{_job(job)}, {job['attempts'] + 1} tries: {job['why']}")
        for job in scans["given_up"]
    ]
    return rows


def _job(job: Mapping[str, Any]) -> str:
    return f"after {job['cause']} of {', '.join(job['scope'])}"
