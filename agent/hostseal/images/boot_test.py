"""The boot test of an image: a host from it boots, enrols, is healthy, and its seal is intact."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

from hostseal.core.images import Image, promoted, tested, usable
from hostseal.images.catalogue import Catalogue
from hostseal.images.verification import healthy, require_intact
from hostseal.launcher import Launcher, Wanted

SLOT = "boot-test"


def boot_test(launcher: Launcher, digest: str, place: Path) -> None:
    """Make a host from the image, look at it and remove it; ImageError says what was wrong. LauncherError."""
    for left in launcher.machines(SLOT):
        launcher.destroy(left.instance)
    wanted = Wanted(slot=SLOT, generation=1, instance=str(uuid.uuid4()), image=digest)
    try:
        machine = launcher.create(wanted)
        healthy(machine)
        require_intact(machine, place)
    finally:
        launcher.destroy(wanted.instance)


def promote(catalogue: Catalogue, launcher: Launcher, digest: str) -> Image:
    """Make an image current, after its boot test unless it passed one before; ImageError, LauncherError if it does not."""
    image = usable(catalogue.images(), digest)
    if image.tested is None:
        boot_test(launcher, image.digest, catalogue.place(image.digest))
        catalogue.change(lambda images: tested(images, image.digest, datetime.now(UTC)))
    return catalogue.change(lambda images: promoted(images, image.digest, datetime.now(UTC))).find(
        image.digest
    )
