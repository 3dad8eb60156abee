"""Files that a host is given before its first boot and that the machine forgets afterwards: they may hold secrets."""

import json
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from lab.errors import LabError
from lab.records import remove_tree

_FOLDER = "inject"
_LIST = "list.json"


def lay_out(folder: Path, files: Mapping[str, bytes]) -> None:
    """Keep the files in a host's folder until its first boot; the folder is root's alone."""
    if not files:
        return
    for path in files:
        if not path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise LabError(f"{path!r} is no absolute path for a file to be put into a host")
    place = folder / _FOLDER
    place.mkdir(mode=0o700)
    for number, content in enumerate(files.values()):
        (place / str(number)).write_bytes(content)
    (place / _LIST).write_text(json.dumps(list(files)), encoding="utf-8")


def put_in(folder: Path, root: Path) -> None:
    """Write the files into the host's mounted root, for root alone, and remove what was kept of them."""
    place = folder / _FOLDER
    if not place.exists():
        return
    for number, path in enumerate(json.loads((place / _LIST).read_text(encoding="utf-8"))):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        # The image's own links are not followed out of the root.
        if not target.parent.resolve().is_relative_to(root.resolve()):
            raise LabError(f"{path} leads out of the host's root")
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write((place / str(number)).read_bytes())
    remove_tree(place)
