"""What a host is given before its first boot: a name, its host key, the users' public keys, its options."""

import os
import shutil
from pathlib import Path

from lab.keys import HOST_KEY, USERS, user_key
from lab.records import HostRecord

CONSOLE_UNIT = """\
[Unit]
Description=Root's console
After=systemd-user-sessions.service
Before=getty.target

[Service]
Environment=TERM=dumb
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud console 115200,38400,9600 dumb
Type=idle
Restart=always
UtmpIdentifier=cons
StandardInput=tty
StandardOutput=tty
TTYPath=/dev/console
TTYReset=yes
TTYVHangup=yes
KillMode=process
IgnoreSIGPIPE=no
SendSIGHUP=yes

[Install]
WantedBy=getty.target
"""


def seed(root: Path, record: HostRecord) -> None:
    """Write a host's own files into its mounted root."""
    _write(root / "etc/hostname", f"{record.name}\n")
    _write(
        root / "etc/hosts",
        f"127.0.0.1 localhost\n127.0.1.1 {record.name}\n{record.address} {record.name}\n::1 localhost ip6-localhost\n",
    )
    for suffix, mode in (("", 0o600), (".pub", 0o644)):
        _write(
            root / f"etc/ssh/{HOST_KEY}{suffix}", (record.folder / f"{HOST_KEY}{suffix}").read_text(), mode
        )
    for user in USERS:
        _authorize(root, user, user_key(record.lab, user).with_suffix(".pub").read_text(encoding="ascii"))
    if record.options.max_startups is not None:
        _write(root / "etc/ssh/sshd_config.d/20-lab.conf", f"MaxStartups {record.options.max_startups}\n")
    if record.options.console:
        units = root / "etc/systemd/system"
        (units / "console-getty.service").unlink(missing_ok=True)
        _write(units / "console-getty.service", CONSOLE_UNIT)
        wants = units / "getty.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / "console-getty.service").symlink_to("../console-getty.service")


def _authorize(root: Path, user: str, public_key: str) -> None:
    home = root / "home" / user
    folder = home / ".ssh"
    folder.mkdir(mode=0o700)
    keys = folder / "authorized_keys"
    _write(keys, public_key, 0o600)
    owner = home.stat()
    for path in (folder, keys):
        os.chown(path, owner.st_uid, owner.st_gid)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    shutil.chown(path, 0, 0)
