"""Which accounts a change of the host's accounts makes privileged: read off its diff, which leaves the host for no policy. Pure."""

from collections.abc import Iterator

PRIVILEGED_GROUPS = frozenset({"admin", "disk", "docker", "lxd", "root", "shadow", "sudo", "wheel"})
"""Whose members are root, or can make themselves root, on the distributions that name them so."""
_HEAD = 2  # lines of a diff that name its sides
_PASSWD_FIELDS, _GROUP_FIELDS = 7, 4


def grants(path: bytes, diff: str) -> list[dict[str, str]]:
    """Return {account, by} of each account that a unified diff of this path makes privileged, each once, in its order.

    `by` is `uid 0` or `group NAME`. Of a diff that was cut, what is beyond is not told.
    """
    lines = diff.split("\n")[_HEAD:]
    gone = {line[1:] for line in lines if line.startswith("-")}
    come = [line[1:] for line in lines if line.startswith("+")]
    if path == b"/etc/passwd":
        before = set(_roots(gone))
        found = [(name, "uid 0") for name in _roots(come) if name not in before]
    elif path == b"/etc/group":
        members = set(_members(gone))
        found = [(name, f"group {group}") for group, name in _members(come) if (group, name) not in members]
    else:
        return []
    return [{"account": name, "by": by} for name, by in dict.fromkeys(found)]


def _roots(lines: set[str] | list[str]) -> Iterator[str]:
    for line in lines:
        fields = line.split(":")
        if len(fields) == _PASSWD_FIELDS and fields[2].isdecimal() and int(fields[2]) == 0:
            yield fields[0]


def _members(lines: set[str] | list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        fields = line.split(":")
        if len(fields) == _GROUP_FIELDS and fields[0] in PRIVILEGED_GROUPS:
            yield from ((fields[0], name) for name in fields[3].split(",") if name)
