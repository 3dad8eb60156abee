"""Writes docs/reference/rules.md from the rules' METADATA and the site's default data; `make rules-page` runs it."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from hostseal.policy import site_rules, site_tuning
from hostseal.policy.site import Site

ROOT = Path(__file__).parents[1]
RULES = ROOT / "policies" / "hostseal" / "rules"
SITE = ROOT / "policies" / "hostseal" / "site" / "data.json"
PAGE = ROOT / "docs" / "reference" / "rules.md"
_OURS = {site_rules.__name__, site_tuning.__name__}
_HEAD = """\
# The rules about events

Made from the METADATA of `policies/hostseal/rules` by `make rules-page`; a test compares. Controls are of NIST SP 800-53 r5, PCI DSS 4.0, the CIS Controls
v8 and SOC 2's trust services criteria (2017, points of focus of 2022). They say what a rule helps with, not that one is met.

A finding is on record, whatever else. *Flags* says when the rule also has the host flagged, by default. No rule is changed to
switch or tune it: the site's data has a table `rules`.

    {"rules": {"forwarding": {"enabled": true, "flags": true}, "weak_key": {"severity": "high"}, "login_window": {"enabled": false}}}

`enabled`: a rule that is off contributes nothing; without `person_connected`, no host is suspect while a person is connected. `severity` takes the place of the rule's own. `flags`: `true` has each finding of the rule flag the host,
`false` keeps its findings and drops its flag. Rules that are off by default say again, by another name, what breaks the seal already, or are a matter of taste;
switched on, they are findings to answer and to tune (`responses.rules`, `deadlines.severities`).

| rule | title | severity | default | flags | controls | tuned by |
|---|---|---|---|---|---|---|
"""
_KEYS = """
## What tunes them
The keys of the site's data that belong to one rule alone. Tables of paths and names are merged with the default, so a site adds to them, or takes an entry back by
`false`; `*` in a path stands for part of a name, `**` for any number of names. All other keys: [the site's data](site-data.md).

| key | meaning | default |
|---|---|---|
"""


class Rule(NamedTuple):
    """What a rule says of itself."""

    name: str
    title: str
    description: str
    severity: str
    controls: list[str]
    flags: str
    tuning: list[str]


def rules(folder: Path = RULES) -> list[Rule]:
    """Return the rules of a folder by name; KeyError for METADATA that lacks something."""
    return [_rule(path.name, metadata(path / f"{path.name}.rego")) for path in sorted(folder.iterdir())]


def metadata(path: Path) -> dict[str, Any]:
    """Return the METADATA of a file's package."""
    block = path.read_text("utf-8").partition("# METADATA\n")[2].partition("\npackage ")[0]
    read: dict[str, Any] = yaml.safe_load("\n".join(line.removeprefix("#") for line in block.splitlines()))
    return read


def page(site: dict[str, Any]) -> str:
    """Return the page as it should be, by the site's default data."""
    found = rules()
    lines = [_HEAD, *(_row(rule, site) for rule in found), "\n## What each is about\n"]
    lines += [f"- `{rule.name}`: {rule.description}\n" for rule in found]
    kinds = {field.name: field.type for field in msgspec.structs.fields(Site)}
    own = {key: kind for key, kind in kinds.items() if getattr(kind, "__module__", "") in _OURS}
    lines += [_KEYS, *(_key(key, str(kind.__doc__), site[key]) for key, kind in sorted(own.items()))]
    said = "The images that were taken back, by their digest, and why each was."
    return "".join([*lines, _key("images_revoked", said, site["images_revoked"])])


def _rule(name: str, said: dict[str, Any]) -> Rule:
    custom, description = said["custom"], " ".join(said["description"].split())
    controls, tuning = custom["controls"], custom.get("tuning", [])
    return Rule(
        name, said["title"], description, custom["severity"], controls, custom.get("flags", "never"), tuning
    )


def _row(rule: Rule, site: dict[str, Any]) -> str:
    on = site["rules"].get(rule.name, {}).get("enabled", True)
    tuning = ", ".join(f"`{key}`" for key in rule.tuning) or "-"
    cells = [
        f"`{rule.name}`",
        rule.title,
        rule.severity,
        "on" if on else "off",
        rule.flags,
        ", ".join(rule.controls),
        tuning,
    ]
    return f"| {' | '.join(cells)} |\n"


def _key(key: str, meaning: str, default: object) -> str:
    return f"| `{key}` | {' '.join(meaning.split())} | {_default(default)} |\n"


def _default(value: object) -> str:
    if isinstance(value, dict) and all(on is True for on in value.values()) and value:
        return " ".join(f"`{name}`" for name in value)
    if isinstance(value, dict) and any(isinstance(one, dict) and one for one in value.values()):
        return "; ".join(f"{name}: {_default(one)}" for name, one in value.items())
    return f"`{json.dumps(value)}`"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is current."""
    wanted = page(json.loads(SITE.read_bytes()))
    if arguments != ["--check"]:
        PAGE.write_text(wanted, "utf-8")
        return 0
    if PAGE.read_text("utf-8") == wanted:
        return 0
    sys.stderr.write(f"{PAGE.relative_to(ROOT)} is not what the rules say: run `make rules-page`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
