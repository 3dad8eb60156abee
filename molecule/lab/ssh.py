"""How the lab's people and its automation connect: known host keys, one identity, nothing of the caller's own."""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A finished command. Bytes that are no UTF-8 are kept as lone surrogates (surrogateescape)."""

    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    def check(self) -> "Completed":
        """Return this, or raise LabError if the status is not 0."""
        if self.returncode != 0:
            said = f"{self.stdout}{self.stderr}".strip()
            raise LabError(f"{shlex.join(self.args)}: status {self.returncode}: {said}")
        return self


def write_config(path: Path, *, addresses: Mapping[str, str], identities: Path, known_hosts: Path) -> None:
    """Write an ssh_config(5) with which `ssh -F PATH USER@HOST`, scp, sftp and others reach the hosts.

    `identities` is a folder with a private key named as each user.
    """
    hosts = "".join(f"Host {name}\n    HostName {address}\n" for name, address in addresses.items())
    words = options(known_hosts)[1::2]
    common = "".join(f"    {word.replace('=', ' ', 1)}\n" for word in words)
    draft = path.with_suffix(".draft")
    draft.write_text(f"{hosts}Host *\n    IdentityFile {identities}/%r\n{common}", encoding="utf-8")
    draft.replace(path)


def options(known_hosts: Path) -> list[str]:
    """Return ssh's options that do not depend on the user; ssh_config(5)."""
    settings = {
        "UserKnownHostsFile": str(known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "ControlPath": "none",
        "ConnectTimeout": "10",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def client(
    user: str, address: str, *, identity: Path, known_hosts: Path, terminal: Sequence[str] = ()
) -> list[str]:
    """Return the words of an ssh command up to and with its destination."""
    return [
        "ssh",
        "-F",
        "none",
        *options(known_hosts),
        "-o",
        "BatchMode=yes",
        "-i",
        str(identity),
        *terminal,
        f"{user}@{address}",
    ]


def remote_words(command: Sequence[str] | str | None) -> list[str]:
    """Return a remote command as ssh takes it: text for the remote shell, or words quoted for it."""
    if command is None:
        return []
    return [command if isinstance(command, str) else shlex.join(command)]


def finish(argv: Sequence[str], *, given: str | None, timeout: float) -> Completed:
    """Run a command to its end; raise LabError when it takes longer than `timeout` seconds."""
    # Without input ssh must not eat the caller's own.
    try:
        done = subprocess.run(
            list(argv),
            input=None if given is None else given.encode(errors="surrogateescape"),
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = b"".join(part for part in (error.stdout, error.stderr) if part)
        raise LabError(f"{shlex.join(argv)}: not done after {timeout:g} s; it said {said!r}") from error
    return Completed(
        args=tuple(argv),
        returncode=done.returncode,
        stdout=done.stdout.decode(errors="surrogateescape"),
        stderr=done.stderr.decode(errors="surrogateescape"),
    )
