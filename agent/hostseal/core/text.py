"""Untrusted text, made safe to show and still exact."""


def faithful(raw: bytes) -> str:
    r"""Return bytes as text that JSON can carry: UTF-8 where it is, `\xNN` where it is not."""
    return raw.decode("utf-8", "backslashreplace")


def shown(text: str) -> str:
    """Return text that is safe on a terminal: every character that does not print is written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
