"""Whether each rule says of itself what a finding of it needs: title, description, severity, controls."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hostseal.policy.problem import Problem

SEVERITIES = ("low", "medium", "high", "critical")
CONTROLS = {
    "NIST": re.compile(r"NIST [A-Z]{2}-\d+(\(\d+\))?"),
    "PCI": re.compile(r"PCI \d+(\.\d+)*"),
    "CIS": re.compile(r"CIS \d+\.\d+"),
    "SOC2": re.compile(r"SOC2 [A-Z]+\d+\.\d+"),
}
"""How a control of NIST 800-53, PCI DSS 4, CIS Controls 8 and SOC 2 is written; a rule names one of each at least."""


def complete(inspected: Mapping[str, Any], real: Callable[[str], str]) -> Iterator[Problem]:
    """Yield what is missing in the METADATA of the rules that `opa inspect` saw; `real` names the file to mend."""
    annotated = {
        ".".join(step["value"] for step in one["path"]): one
        for one in inspected.get("annotations") or ()
        if one["annotations"]["scope"] == "package"
    }
    for package, files in sorted(inspected["namespaces"].items()):
        if _is_rule(package):
            one = annotated.get(package)
            where = (
                real(files[0]) if one is None else f"{real(one['location']['file'])}:{one['location']['row']}"
            )
            yield from _missing(where, {} if one is None else one["annotations"])


def rules(inspected: Mapping[str, Any]) -> int:
    """Return how many rules there are."""
    return sum(1 for package in inspected["namespaces"] if _is_rule(package))


def _is_rule(package: str) -> bool:
    steps = package.split(".")
    return len(steps) == 4 and steps[2].endswith("rules") and not package.endswith("_test")  # noqa: PLR2004


def _missing(where: str, said: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("title", "description"):
        if not str(said.get(key, "")).strip():
            yield Problem(
                where=where, what=f"METADATA has no {key}", hint=f"add `# {key}: ...` above the package"
            )
    custom = said.get("custom", {})
    if custom.get("severity") not in SEVERITIES:
        what = f"METADATA: custom.severity is {custom.get('severity')!r}"
        yield Problem(where=where, what=what, hint=f"one of {', '.join(SEVERITIES)}")
    controls = custom.get("controls")
    controls = [str(one) for one in controls] if isinstance(controls, list) else []
    lacking = [kind for kind, written in CONTROLS.items() if not any(map(written.fullmatch, controls))]
    if lacking:
        what = f"METADATA: custom.controls names none of {', '.join(lacking)}"
        yield Problem(where=where, what=what, hint=f"a list like [{_EXAMPLE}]")
    for one in controls:
        if not any(written.fullmatch(one) for written in CONTROLS.values()):
            yield Problem(
                where=where, what=f"METADATA: {one!r} is no control", hint=f"written like {_EXAMPLE}"
            )


_EXAMPLE = "NIST AC-17, PCI 10.2, CIS 8.5, SOC2 CC7.2"
