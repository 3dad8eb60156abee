"""Where built images are kept, in the user's cache: by digest, and found again by the digest of their inputs."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hostseal import durable
from hostseal.core.images import DIGEST
from hostseal.errors import ImageError
from hostseal.images.catalogue import ROOT
from hostseal.locking import locked

_KEPT = 4
_KEPT_SECONDS = 2 * 86_400.0


def default_folder() -> Path:
    """Return the user's store, by the XDG base directory specification."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "hostseal/host-images"


class Store:
    """Complete images, each a folder; one that breaks off leaves nothing that is taken for one."""

    def __init__(self, folder: Path) -> None:
        """Speak for the store in `folder`, which is made when it is missing."""
        self.folder = folder
        (folder / "by-inputs").mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)

    def find(self, inputs: str) -> tuple[str, Path] | None:
        """Return digest and folder of the image made from inputs with this digest (hex), if it is there."""
        note = self.folder / "by-inputs" / inputs
        try:
            digest = note.read_text("ascii").strip()
        except FileNotFoundError:
            return None
        place = self.folder / digest.removeprefix("sha256:")
        if not (place / ROOT / "etc").is_dir():
            return None
        os.utime(note)
        return digest, place

    def made(self, inputs: str, make: Callable[[Path], str], *, anew: bool) -> tuple[str, Path, bool]:
        """Return digest and folder, and whether it was made now: by `make`, in a folder of its own; it returns the digest.

        Another process that wants to make one waits, and finds what was made meanwhile.
        """
        with locked(self.folder / ".lock"):
            known = None if anew else self.find(inputs)
            if known is not None:
                return *known, False
            for left in self.folder.glob(".make-*"):
                shutil.rmtree(left)
            self._prune()
            draft = Path(tempfile.mkdtemp(prefix=".make-", dir=self.folder))
            try:
                digest = make(draft)
                place = self.folder / digest.removeprefix("sha256:")
                if not place.exists():
                    os.sync()
                    draft.rename(place)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
            self.note(inputs, digest)
            found = self.find(inputs)
            if found is None:
                raise ImageError("the image that was made has no /etc", hint=str(place))
            return *found, True

    def note(self, inputs: str, digest: str) -> None:
        """Have the image found by these inputs from now on."""
        durable.write(self.folder / "by-inputs" / inputs, f"{digest}\n".encode())

    def _prune(self) -> None:
        """Remove what was not asked for in days, but for the newest: a host may still run from what is in use."""
        notes = sorted(
            (self.folder / "by-inputs").iterdir(), key=lambda note: note.stat().st_mtime, reverse=True
        )
        old = [note for note in notes[_KEPT:] if note.stat().st_mtime < time.time() - _KEPT_SECONDS]
        for note in old:
            note.unlink()
        kept = {note.read_text("ascii").strip() for note in notes if note not in old}
        for place in self.folder.iterdir():
            digest = f"sha256:{place.name}"
            if DIGEST.match(digest) and digest not in kept:
                shutil.rmtree(place)
