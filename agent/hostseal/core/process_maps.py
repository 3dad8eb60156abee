"""Which files a process may change through its memory: proc_pid_maps(5), read as text."""

import re

_WRITABLE_SHARED = re.compile(rb"^[0-9a-f]+-[0-9a-f]+ .w.s [0-9a-f]+ \S+ [1-9]\d* +(/.*)$", re.MULTILINE)
_DELETED = b" (deleted)"


def writable_shared(text: bytes) -> frozenset[bytes]:
    r"""Return the paths of the files that are mapped shared and writable; a file that has no name any more is left out.

    The kernel writes a line's end in a name as `\012`, and nothing else: a name that has these four characters is
    told as both.
    """
    found: set[bytes] = set()
    for path in _WRITABLE_SHARED.findall(text):
        if not path.endswith(_DELETED):
            found |= {path, path.replace(rb"\012", b"\n")}
    return frozenset(found)
