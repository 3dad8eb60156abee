"""The catalogue on disk: one folder per digest, and one file that says which image is on which track."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from hostseal import durable
from hostseal.core.images import Image, Images, usable
from hostseal.errors import ImageError
from hostseal.locking import locked

ROOT, MANIFEST, PROVENANCE = "rootfs", "image.seal", "provenance.json"
_TRACKS = "catalogue.json"


def default_folder() -> Path:
    """Return where a user's catalogue is, by the XDG base directory specification."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".local/share") / "hostseal/images"


class Catalogue:
    """One catalogue. A change is whole or not at all, and two at a time wait for each other."""

    def __init__(self, folder: Path) -> None:
        """Speak for the catalogue in `folder`, which is made when it is missing."""
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def images(self) -> Images:
        """Return the images as they are now; ImageError when the file cannot be read."""
        path = self.folder / _TRACKS
        try:
            return msgspec.json.decode(path.read_bytes(), type=Images)
        except FileNotFoundError:
            return Images()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ImageError(f"the catalogue cannot be read: {error}", hint=str(path)) from error

    def change(self, step: Callable[[Images], Images]) -> Images:
        """Apply a pure step of :mod:`hostseal.core.images`; what it raises leaves the catalogue as it was."""
        with locked(self.folder / ".lock"):
            after = step(self.images())
            durable.write(self.folder / _TRACKS, msgspec.json.format(msgspec.json.encode(after), indent=1))
        return after

    def place(self, digest: str) -> Path:
        """Return the folder of an image, which holds ROOT, MANIFEST and PROVENANCE."""
        return self.folder / digest.removeprefix("sha256:")

    def root(self, digest: str) -> Path:
        """Return the root of an image that hosts may be made from; ImageError if it is revoked, unknown or gone."""
        image = usable(self.images(), digest)
        root = (self.place(image.digest) / ROOT).resolve()
        if not (root / "etc").is_dir():
            raise ImageError(
                f"the files of {image.digest} are gone", hint="build it again: hostseal image build"
            )
        return root

    def current(self) -> Image:
        """Return the image that new hosts are made from; ImageError if there is none."""
        current = self.images().current
        if current is None:
            raise ImageError("no image is current", hint="hostseal image build, then hostseal image promote")
        return current

    def take_in(self, digest: str, made: Path) -> None:
        """Put an image's files, which stay where they were made, into the catalogue; again is no error."""
        place = self.place(digest)
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        for name in (MANIFEST, PROVENANCE):
            shutil.copy2(made / name, draft / name)
        (draft / ROOT).symlink_to(made / ROOT)
        with locked(self.folder / ".lock"):
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
