"""What the PAM hook hands over, read (contract: agent/dist/pam/pam-hook)."""

from collections.abc import Mapping

import msgspec

END = b"\0\0"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of one login. `pam` holds PAM's own variables as bytes, `time` is seconds since 1970."""

    phase: str
    pid: int
    time: float
    pam: Mapping[bytes, bytes]
    audit_session: int | None = None
    login_uid: int | None = None
    offered: bytes = b""
    why: bytes = b""
    principal_class: bytes = b""
    answer: bytes = b""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the hook is answered: whether the login is admitted, and lines for the person who reads them."""

    admitted: bool = True
    text: str = ""


def answer(verdict: Verdict) -> bytes:
    """Return a verdict as the hook reads it."""
    text = f"{verdict.text}\n" if verdict.text else ""
    return (b"ok\n" if verdict.admitted else b"no\n") + text.encode("utf-8", "replace")


def parse(block: bytes) -> Login:
    """Return the login in a block of `name=value` fields, each ended by a zero byte; ValueError when it is not one."""
    if not block.endswith(END):
        raise ValueError("the login's block has no end")
    fields = dict(_field(field) for field in block.removesuffix(END).split(b"\0"))
    missing = [name for name in ("PAM_TYPE", "PAM_USER", "pid", "time") if name.encode() not in fields]
    if missing:
        raise ValueError(f"the login's block lacks {', '.join(missing)}")
    return Login(
        phase=fields[b"PAM_TYPE"].decode("ascii"),
        pid=int(fields[b"pid"]),
        time=float(fields[b"time"]),
        pam={name: value for name, value in fields.items() if name.isupper()},
        audit_session=_number(fields.get(b"audit_session")),
        login_uid=_number(fields.get(b"login_uid")),
        offered=fields.get(b"offered", b""),
        why=fields.get(b"why", b""),
        principal_class=fields.get(b"class", b""),
        answer=fields.get(b"answer", b""),
    )


def _field(field: bytes) -> tuple[bytes, bytes]:
    name, equals, value = field.partition(b"=")
    if not name or not equals:
        raise ValueError("a field of the login's block is not name=value")
    return name, value


def _number(value: bytes | None) -> int | None:
    return int(value) if value else None
