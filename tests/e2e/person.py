"""What a person does: a real ssh client on a real pty."""

from collections.abc import Iterator
from contextlib import contextmanager

import pexpect

from lab import Host

PROMPT = r"[$#] "


@contextmanager
def shell(host: Host, user: str) -> Iterator["pexpect.spawn[str]"]:
    """Yield an interactive login with a prompt waiting; log out at the end."""
    program, *arguments = host.ssh_args(user, pty=True)
    session = pexpect.spawn(program, arguments, encoding="utf-8", timeout=30, dimensions=(24, 200))
    try:
        session.expect(PROMPT)
        yield session
        session.sendline("exit")
        session.expect(pexpect.EOF)
    finally:
        session.close(force=True)


def run(session: "pexpect.spawn[str]", command: str) -> str:
    """Type a command; return what it printed."""
    session.sendline(command)
    session.expect(PROMPT)
    return str(session.before)
