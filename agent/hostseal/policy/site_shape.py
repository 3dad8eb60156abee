"""What all parts of the site's data have in common."""

from typing import Annotated

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1)]
Fingerprint = Annotated[str, Meta(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
Seconds = Annotated[int, Meta(ge=1, le=10 * 365 * 86400)]
"""At most ten years: what is added to a time of today is still one."""
Percent = Annotated[int, Meta(ge=0, le=100)]


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the site's data: unknown keys are errors."""
