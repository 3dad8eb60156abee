"""The list of certificates that hosts no longer take: a key revocation list of OpenSSH's, kept by ssh-keygen."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from hostseal import durable
from hostseal.errors import BreakGlassError

_SECONDS = 30


def revoke(krl: Path, authority: str, serial: int) -> None:
    """Add an authority's (`TYPE BASE64`) certificate with this serial to the list, which is made if it is missing.

    BreakGlassError or OSError when it cannot be; the list is then as it was.
    """
    with tempfile.TemporaryDirectory(prefix="hostseal-break-glass-") as name:
        folder = Path(name)
        (folder / "ca.pub").write_text(f"{authority}\n", "ascii")
        (folder / "list").write_text(f"serial: {serial}\n", "ascii")
        update = []
        if krl.exists():
            shutil.copyfile(krl, folder / "krl")
            update = ["-u"]
        _keygen("-k", *update, "-f", folder / "krl", "-s", folder / "ca.pub", folder / "list")
        durable.write(krl, (folder / "krl").read_bytes(), mode=0o644)


def _keygen(*words: str | Path) -> None:
    command = ["ssh-keygen", "-q", *words]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BreakGlassError(f"ssh-keygen did not make the list: {error}") from error
    if done.returncode:
        raise BreakGlassError(f"ssh-keygen did not make the list: {done.stderr.strip()[-300:]}")
