"""The files that a bundle is made of: Hostseal's policies, rules of one's own beside them, and the site's data."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from hostseal.errors import PolicyError
from hostseal.policy import site as site_data

RULES = "hostseal/rules"
POLICY_RULES = "hostseal/policy_rules"
SITE_DATA = "hostseal/site/data.json"
ROLLOUT = "hostseal/rollout/data.json"
MANIFEST = ".manifest"


def collect(
    policies: Path, site: Mapping[str, Any], rules: Sequence[Path] = (), *, tests: bool = False
) -> dict[str, bytes]:
    """Return the files by their name in the bundle.

    Each of `rules` is a folder with one folder a rule, as `policies` has them below `hostseal/rules`; `site` is merged
    over the default data; `tests` takes the tests along. Raises PolicyError for a folder that does not hold policies, for site
    data of another shape, and for a rule that there already is.
    """
    try:
        defaults = json.loads((policies / SITE_DATA).read_bytes())
        manifest = (policies / MANIFEST).read_bytes()
        rollout = (policies / ROLLOUT).read_bytes()
    except (OSError, ValueError) as error:
        raise PolicyError(f"these are not Hostseal's policies: {error}", hint=str(policies)) from error
    if not isinstance(site, Mapping):
        raise PolicyError("the site data is not a table of keys", hint="site data")
    files = _rego(policies, PurePosixPath(), tests=tests)
    for folder in rules:
        own = _rego(folder, PurePosixPath(RULES), tests=tests)
        for rule in _folders(own) & _folders(files):
            raise PolicyError(
                f"there are two rules {rule.name!r}", hint=f"{folder / rule.name}: give it a name of its own"
            )
        files |= own
    judging = {folder.name for folder in _folders(files) if str(folder.parent) in {RULES, POLICY_RULES}}
    merged = site_data.merge(defaults, site, judging)
    data = {SITE_DATA: msgspec.json.encode(merged, order="sorted"), ROLLOUT: rollout}
    return {**files, MANIFEST: manifest, **data}


def _rego(folder: Path, below: PurePosixPath, *, tests: bool) -> dict[str, bytes]:
    return {
        str(below / path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.rego"))
        if tests or not path.name.endswith("_test.rego")
    }


def _folders(files: Mapping[str, bytes]) -> set[PurePosixPath]:
    return {PurePosixPath(name).parent for name in files}
