"""What the lab knows of its hosts, on disk: what each host is, and how its run stands."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.process import Process

STATE = Path("/var/lib/hostseal-lab")
LABS = STATE / "labs"
GLOBAL_LOCK = Path("/run/hostseal-lab.lock")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40  # a Unix socket's path below the host's folder must stay under 108 bytes


@dataclass(frozen=True, kw_only=True)
class HostImage:
    """What a host boots from: a root's folder, which is only read, and the digest it is known by."""

    digest: str
    root: str


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """What makes a host special; the default is a plain one.

    console: root's console, driven through a pty (only then a getty runs).
    state_size: size of a tmpfs at /var/lib/hostseal, e.g. "16M", for tests of a full disk.
    max_startups: sshd's MaxStartups, for tests of many logins at once.
    image: what to boot instead of the lab's own base image; it must have the base image's users.
    tags: what the caller wants to know the host by, as a cloud's tags.
    """

    console: bool = False
    state_size: str | None = None
    max_startups: str | None = None
    image: HostImage | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class HostRecord:
    """What a host is; written once, before it starts."""

    name: str
    lab: str
    index: int
    address: str
    prefix_length: int
    machine_id: str
    lower: str
    image: str
    options: HostOptions

    @property
    def folder(self) -> Path:
        """Return the folder that holds all of this host."""
        return host_folder(self.lab, self.name)

    @property
    def link(self) -> str:
        """Return the name of the machine's end of the host's cable."""
        return f"hsl{self.index}"

    @property
    def cgroup(self) -> str:
        """Return the host's control group below the lab's."""
        return f"{self.lab}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a host's run stands, as its supervisor last wrote it."""

    supervisor: Process
    nspawn: Process | None = None
    boots: int = 0
    ended: int | None = None
    error: str | None = None


def lab_folder(lab: str) -> Path:
    """Return the folder of a lab."""
    return LABS / lab


def host_folder(lab: str, name: str) -> Path:
    """Return the folder of a host."""
    return LABS / lab / "hosts" / name


def check_name(name: str) -> str:
    """Return a name that is fit for a host, a folder and a control group; raise LabError for others."""
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise LabError(
            f"{name!r} is no name for a host or a lab", "use lower-case letters, digits and single dashes"
        )
    return name


def write_record(record: HostRecord) -> None:
    """Put a host's record on disk."""
    record.folder.mkdir(parents=True, mode=0o700)
    _write(record.folder / "host.json", dataclasses.asdict(record))


def read_record(folder: Path) -> HostRecord | None:
    """Return a host's record, or None where a run broke off before it was written."""
    data = _read(folder / "host.json")
    if data is None:
        return None
    # Written by another version, it may say more: a checkout sees the hosts of all, and must be able to pass them by.
    options = _known(HostOptions, data["options"])
    if options.get("image") is not None:
        options["image"] = HostImage(**options["image"])
    return HostRecord(**{**_known(HostRecord, data), "options": HostOptions(**options)})


def _known(kind: type, data: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in data.items() if name in names}


def write_run(folder: Path, run: Run) -> None:
    """Put the state of a run on disk."""
    _write(folder / "state.json", dataclasses.asdict(run))


def read_run(folder: Path) -> Run | None:
    """Return the state of a run, or None if there was none."""
    data = _read(folder / "state.json")
    if data is None:
        return None
    nspawn = data["nspawn"]
    return Run(
        **{
            **data,
            "supervisor": Process(**data["supervisor"]),
            "nspawn": None if nspawn is None else Process(**nspawn),
        }
    )


def lab_names() -> list[str]:
    """Return the labs that have a folder, alive or crashed."""
    return sorted(path.name for path in LABS.iterdir() if path.is_dir()) if LABS.is_dir() else []


def host_folders(lab: str) -> list[Path]:
    """Return the folders of a lab's hosts, also of half-made ones."""
    hosts = lab_folder(lab) / "hosts"
    return sorted(hosts.iterdir()) if hosts.is_dir() else []


def records(lab: str | None = None) -> list[HostRecord]:
    """Return the records of one lab's hosts, or of all."""
    labs = lab_names() if lab is None else [lab]
    found = (read_record(folder) for name in labs for folder in host_folders(name))
    return sorted((record for record in found if record is not None), key=lambda record: record.index)


def remove_tree(path: Path) -> None:
    """Remove a folder, even if somebody on the host made files in it immutable."""
    if not path.exists():
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        subprocess.run(["chattr", "-R", "-f", "-i", "-a", str(path)], check=False)
        shutil.rmtree(path)


def _write(path: Path, data: dict[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return data
