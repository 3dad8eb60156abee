"""The lab's break-glass authority, made once: images trust it, so the same key spares a build."""

import subprocess
from pathlib import Path


def ensure(folder: Path) -> Path:
    """Return the private key's path; its public half lies beside it."""
    key = folder / "break-glass"
    if not key.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keygen("-q", "-t", "ed25519", "-N", "", "-C", "break-glass", "-f", str(key))
    return key


def fingerprint(key: Path) -> str:
    """Return the key's fingerprint, `SHA256:...`."""
    return _keygen("-l", "-f", f"{key}.pub").split()[1]


def _keygen(*words: str) -> str:
    done = subprocess.run(["ssh-keygen", *words], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout
