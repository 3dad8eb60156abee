"""Key pairs made for one lab and gone with it; host keys are made outside, so nothing is trusted on first use."""

from collections.abc import Iterable
from pathlib import Path

from lab.process import call
from lab.records import HostRecord, lab_folder

USERS = ("alice", "bob", "deploy")
AUTOMATION = "deploy"
HOST_KEY = "ssh_host_ed25519_key"


def user_key(lab: str, user: str) -> Path:
    """Return the path of a user's private key."""
    return lab_folder(lab) / "keys" / user


def known_hosts(lab: str) -> Path:
    """Return the path of the lab's list of host keys."""
    return lab_folder(lab) / "known_hosts"


def ssh_config(lab: str) -> Path:
    """Return the path of the configuration with which any ssh client reaches the lab."""
    return lab_folder(lab) / "ssh_config"


def ensure_user_keys(lab: str) -> None:
    """Make the keys of the lab's users, once."""
    folder = lab_folder(lab) / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for user in USERS:
        path = folder / user
        if not path.with_suffix(".pub").exists():
            path.unlink(missing_ok=True)
            _generate(path, f"{user}@{lab}")


def ensure_host_key(record: HostRecord) -> None:
    """Make a host's key, once."""
    path = record.folder / HOST_KEY
    if not path.with_suffix(".pub").exists():
        path.unlink(missing_ok=True)
        _generate(path, record.name)


def write_known_hosts(lab: str, records: Iterable[HostRecord]) -> None:
    """List the keys of the lab's hosts by name and address."""
    lines = []
    for record in records:
        kind, key, *_ = (record.folder / f"{HOST_KEY}.pub").read_text(encoding="ascii").split()
        lines.append(f"{record.name},{record.address} {kind} {key}\n")
    path = known_hosts(lab)
    draft = path.with_suffix(".draft")
    draft.write_text("".join(lines), encoding="ascii")
    draft.replace(path)


def _generate(path: Path, comment: str) -> None:
    call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path])
