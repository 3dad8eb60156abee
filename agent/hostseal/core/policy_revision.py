"""When policies were issued, as their revision says it, and whether older ones came back into force.

OPA takes any bundle that the operator ever signed. Whoever can write on the bundle server, or pose as it, can therefore bring back
the policies of another day; what gives them away is the time in their revision (hostseal.policy.release).
"""

import re

_TIME = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-z.-]+", re.ASCII)


def newest(known: str | None, seen: str | None) -> str | None:
    """Return the revision that was issued last, of the one known so far and the one that is in force now."""
    if seen is None or not _issued(seen):
        return known
    return seen if known is None or _issued(seen) >= _issued(known) else known


def went_back(known: str | None, seen: str | None) -> str | None:
    """Return in words that what is in force was issued before what was; None when it was not, or nothing is known."""
    if known is None or seen is None or _issued(seen) >= _issued(known):
        return None
    return f"{seen} is in force, and {known}, which was issued later, was before"


def _issued(revision: str) -> str:
    """Return the time in a form that sorts; nothing, which is before any time, where the revision tells none."""
    found = _TIME.fullmatch(revision)
    return found[1] if found else ""
