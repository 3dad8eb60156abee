"""What must not be in an image because it is one host's alone, or secret: looked for before an image is sealed."""

import os
import re
import stat
from collections.abc import Iterator

# By name: whatever they hold, they are one host's or one person's.
_NAMES = re.compile(
    rb"/etc/ssh/ssh_host_[^/]*_key(\.pub)?$"
    rb"|/\.ssh/[^/]+$"
    rb"|/etc/hostseal/((instance|enrolment)\.json|instance-id)$"
    rb"|/etc/hostseal/(opa/((gate-|operator-)?token|authz\.json|server\.key|server\.pem|ca\.pem)|ledger/token)$"
    rb"|/var/lib/systemd/(random-seed|credential\.secret)$"
    rb"|/\.(bash|python|sh)_history$|/\.(netrc|pgpass|git-credentials|vault-token)$"
)
# By content: a private key in text. Programs carry keys for their own self-tests.
_CONTENT = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\r?\n[A-Za-z0-9+/=:,\-\s]{60,}")
_ELF = b"\x7fELF"
_EMPTY = (b"/etc/machine-id", b"/var/lib/dbus/machine-id")
_LIMIT = 16 << 20


def find(root: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield each path below `root` (as if that were `/`) that should not be there, and why. OSError."""
    for folder, _, names in os.walk(root):
        for name in names:
            place = os.path.join(folder, name)
            path = place.removeprefix(root.rstrip(b"/"))
            named = _NAMES.search(path) is not None
            why = "one host's or one person's alone" if named else _inside(path, place)
            if why is not None:
                yield path, why


def _inside(path: bytes, place: bytes) -> str | None:
    status = os.lstat(place)
    if not stat.S_ISREG(status.st_mode):
        return None
    if path in _EMPTY:
        return "the id of the machine that built it" if status.st_size else None
    if path.startswith(b"/var/log/") and status.st_size:
        return "a log of the build"
    if status.st_size > _LIMIT:
        return None
    with open(place, "rb") as file:
        content = file.read()
    return "a private key" if not content.startswith(_ELF) and _CONTENT.search(content) else None
