"""The catalogue of images as a value: which image is on which track, and which moves there are between tracks.

candidate -> current (after a boot test) -> deprecated (when another becomes current); from anywhere -> revoked, for good.
"""

import re
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from hostseal.core.event import timestamp
from hostseal.errors import ImageError

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


class Track(StrEnum):
    """How far an image is trusted."""

    CANDIDATE = "candidate"
    CURRENT = "current"
    DEPRECATED = "deprecated"
    REVOKED = "revoked"


class Image(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One image: its digest (`sha256:HEX`), its track, since when and why, and when it passed its boot test."""

    digest: str
    track: Track
    since: str
    reason: str = ""
    tested: str | None = None


class Images(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All images of a catalogue, in the order of their coming. At most one is current."""

    images: tuple[Image, ...] = ()

    @property
    def current(self) -> Image | None:
        """The image that new hosts are made from."""
        return next((image for image in self.images if image.track is Track.CURRENT), None)

    def find(self, digest: str) -> Image:
        """Return the image of this digest, or of the one digest that begins so; ImageError if there is no such one."""
        wanted = digest if digest.startswith("sha256:") else f"sha256:{digest}"
        found = [image for image in self.images if image.digest.startswith(wanted)]
        if len(found) != 1:
            many = f"{len(found)} images begin with {digest}" if found else f"there is no image {digest}"
            raise ImageError(many, hint="`hostseal image list` shows all")
        return found[0]


def added(images: Images, digest: str, now: datetime) -> Images:
    """Return the catalogue with this image; one that is there already stays on its track, a revoked one too."""
    if any(image.digest == digest for image in images.images):
        return images
    if not DIGEST.match(digest):
        raise ImageError(f"{digest!r} is no digest of an image")
    new = Image(digest=digest, track=Track.CANDIDATE, since=timestamp(now))
    return replace(images, images=(*images.images, new))


def tested(images: Images, digest: str, now: datetime) -> Images:
    """Return the catalogue after this image passed its boot test."""
    return _changed(images, replace(usable(images, digest), tested=timestamp(now)))


def promoted(images: Images, digest: str, now: datetime) -> Images:
    """Return the catalogue with this image current and the one before it deprecated; ImageError if it may not be."""
    image = usable(images, digest)
    if image.tested is None:
        raise ImageError(
            f"{image.digest} has not passed a boot test", hint="`hostseal image promote` runs it"
        )
    if image.track is Track.CURRENT:
        return images
    before = images.current
    if before is not None:
        images = _changed(
            images, replace(before, track=Track.DEPRECATED, since=timestamp(now), reason="replaced")
        )
    return _changed(images, replace(image, track=Track.CURRENT, since=timestamp(now), reason=""))


def revoked(images: Images, digest: str, reason: str, now: datetime) -> Images:
    """Return the catalogue with this image revoked, for good; none is current then if it was this one."""
    if not reason.strip():
        raise ImageError("a revocation needs a reason")
    image = images.find(digest)
    if image.track is Track.REVOKED:
        return images
    return _changed(images, replace(image, track=Track.REVOKED, since=timestamp(now), reason=reason))


def usable(images: Images, digest: str) -> Image:
    """Return the image if hosts may be made from it; ImageError if it is unknown or revoked."""
    image = images.find(digest)
    if image.track is Track.REVOKED:
        raise ImageError(
            f"{image.digest} was revoked at {image.since}: {image.reason}", hint="use another image"
        )
    return image


def _changed(images: Images, image: Image) -> Images:
    kept = tuple(image if one.digest == image.digest else one for one in images.images)
    return replace(images, images=kept)
