"""Build hook: a real wheel carries the policies; an editable one does not, so that a checkout has one copy only."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PoliciesHook(BuildHookInterface[Any]):
    """Adds policies/ as hostseal/_policies to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Extend what hatchling includes; `version` is "standard" or "editable"."""
        if version == "standard":
            build_data["force_include"]["policies"] = "hostseal/_policies"
