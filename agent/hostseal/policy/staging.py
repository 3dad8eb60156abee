"""All policies in one folder, rules of one's own among them, as OPA and Regal are to see them; and back to the files."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from hostseal.policy.sources import MANIFEST, RULES, collect

SCHEMAS = "schemas"
LINTER = ".regal"


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """The folder, and by each name in it the file that a person edits; `rules` are the names of one's own rules."""

    folder: Path
    schemas: Path
    capabilities: Path
    files: Mapping[str, Path]
    rules: frozenset[str]

    def named(self, text: str) -> str:
        """Return text of a tool's with the names of the staged files put back to those that a person edits."""
        return re.sub(r"[\w./-]+\.rego", lambda found: self.real(found[0]), text)

    def real(self, name: str) -> str:
        """Return the file that a person edits."""
        return str(self.files.get(name.removeprefix("./"), name))


@contextmanager
def staged(policies: Path, rules: Sequence[Path]) -> Iterator[Staged]:
    """Yield the policies with their tests and default data, laid out for the while; raises as `collect` does."""
    contents = collect(policies, {}, rules, tests=True)
    own = {f"{RULES}/{path.relative_to(folder)}": path for folder in rules for path in folder.rglob("*.rego")}
    with tempfile.TemporaryDirectory(prefix="hostseal-check-") as name:
        work = Path(name)
        for file, content in contents.items():
            if file != MANIFEST:
                path = work / "policies" / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        shutil.copytree(policies / LINTER, work / "policies" / LINTER)
        yield Staged(
            folder=work / "policies",
            schemas=(policies / SCHEMAS).absolute(),
            capabilities=(policies / "capabilities.json").absolute(),
            files={file: own.get(file, policies / file) for file in contents},
            rules=frozenset(name for name in own if not name.endswith("_test.rego")),
        )
