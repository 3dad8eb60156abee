"""What is in a bundle, however it came here: from sources, or out of a bundle that was built before."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from hostseal.policy.sources import MANIFEST

DATA = "data.json"
SIGNATURES = ".signatures.json"


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """Rego by name, the data below one root, the roots and the version of Rego; the revision it had, if it had one."""

    modules: dict[str, bytes]
    data: dict[str, Any]
    manifest: dict[str, Any]
    revision: str | None = None

    def with_data(self, name: str, value: Any) -> "Content":
        """Return the same with `data.hostseal.NAME` replaced."""
        ours = {**self.data.get("hostseal", {}), name: value}
        return msgspec.structs.replace(self, data={**self.data, "hostseal": ours})

    def digest(self) -> str:
        """Return 16 hexadecimal digits that stand for all of it, the former revision left out."""
        digest = hashlib.sha256()
        for name, body in [*sorted(self.modules.items()), *self._documents()]:
            digest.update(f"{len(name.encode())} {name} {len(body)} ".encode())
            digest.update(body)
        return digest.hexdigest()[:16]

    def stage(self, folder: Path) -> None:
        """Write it below `folder`, as `opa build` reads it."""
        for name, body in [*self.modules.items(), *self._documents()]:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)

    def _documents(self) -> list[tuple[str, bytes]]:
        return [
            (MANIFEST, msgspec.json.encode(self.manifest, order="sorted")),
            (DATA, msgspec.json.encode(self.data, order="sorted")),
        ]


def content(files: Mapping[str, bytes]) -> Content:
    """Return the content of files by their name in a bundle; ValueError for what is no JSON or not an object."""
    data: dict[str, Any] = {}
    for name, body in files.items():
        path = PurePosixPath(name)
        if path.name == DATA:
            _put(data, path.parent.parts, _object(name, body))
    manifest = _object(MANIFEST, files[MANIFEST])
    revision = manifest.pop("revision", None)
    modules = {name: body for name, body in files.items() if name.endswith(".rego")}
    return Content(modules=modules, data=data, manifest=manifest, revision=revision)


def _put(data: dict[str, Any], place: tuple[str, ...], value: dict[str, Any]) -> None:
    for step in place:
        data = data.setdefault(step, {})
    data.update(value)


def _object(name: str, body: bytes) -> dict[str, Any]:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise TypeError(f"{name} is not an object")
    return found
