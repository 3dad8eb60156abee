"""The files that a bundle is made of: Hostseal's policies, rules of one's own beside them, and the site's data."""

import json
import re
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
_PACKAGE = re.compile(rb"(?:[ \t\r\n]|#[^\n]*\n)*package[ \t\r\n]+([^ \t\r\n#]+)")


def collect(
    policies: Path, site: Mapping[str, Any], rules: Sequence[Path] = (), *, tests: bool = False
) -> dict[str, bytes]:
    """Return the files by their name in the bundle.

    Each of `rules` is a folder with one folder a rule, as `policies` has them below `hostseal/rules`; `site` is merged
    over its default data, other data is taken as it lies there; `tests` takes the tests along. Raises PolicyError for
    a folder that does not hold policies, for site data of another shape, for a rule that there already is, and for one
    that speaks in a package which is not its own.
    """
    try:
        needed = {name: (policies / name).read_bytes() for name in (MANIFEST, SITE_DATA, ROLLOUT)}
        defaults = json.loads(needed[SITE_DATA])
    except (OSError, ValueError) as error:
        raise PolicyError(f"these are not Hostseal's policies: {error}", hint=str(policies)) from error
    if not isinstance(site, Mapping):
        raise PolicyError("the site data is not a table of keys", hint="site data")
    files = _rego(policies, PurePosixPath(), tests=tests)
    for folder in rules:
        own = _own(folder, tests=tests)
        for rule in _folders(own) & _folders(files):
            raise PolicyError(
                f"there are two rules {rule.name!r}", hint=f"{folder / rule.name}: give it a name of its own"
            )
        files |= own
    judging = {folder.name for folder in _folders(files) if str(folder.parent) in {RULES, POLICY_RULES}}
    merged = site_data.merge(defaults, site, judging)
    data = {
        str(path.relative_to(policies)): path.read_bytes()
        for path in sorted((policies / "hostseal").rglob("data.json"))
    }
    return {
        **files,
        **data,
        MANIFEST: needed[MANIFEST],
        SITE_DATA: msgspec.json.encode(merged, order="sorted"),
    }


def _rego(folder: Path, below: PurePosixPath, *, tests: bool) -> dict[str, bytes]:
    return {
        str(below / path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.rego"))
        if tests or not path.name.endswith("_test.rego")
    }


def _own(folder: Path, *, tests: bool) -> dict[str, bytes]:
    """Return the files of rules of one's own: nothing in them adds to a package of Hostseal's or opens OPA."""
    for one in folder.rglob("*"):
        if one.is_symlink() and one.is_dir():
            raise PolicyError("a link to a folder is not followed", hint=f"{one}: put the rule itself there")
    files = _rego(folder, PurePosixPath(RULES), tests=tests)
    for name, body in files.items():
        path, file = PurePosixPath(name), folder / PurePosixPath(name).relative_to(RULES)
        if str(path.parent) == RULES:
            raise PolicyError("this is not in the folder of a rule", hint=f"{file}: one folder a rule")
        wanted = str(path.parent).replace("/", ".") + ("_test" if name.endswith("_test.rego") else "")
        found = _PACKAGE.match(body)
        if found is None or found[1] != wanted.encode():
            raise PolicyError(
                f"this is not in package {wanted}", hint=f"{file}: a rule has its folder's name"
            )
    return files


def _folders(files: Mapping[str, bytes]) -> set[PurePosixPath]:
    return {PurePosixPath(name).parent for name in files}
