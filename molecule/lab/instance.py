"""A lab: hosts that share a prefix, keys and a fate."""

import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import image, inject, keys, lifecycle, network, ssh
from lab.errors import LabError
from lab.host import Host
from lab.leftovers import require_root
from lab.locks import locked
from lab.progress import Progress
from lab.records import (
    GLOBAL_LOCK,
    LABS,
    STATE,
    HostImage,
    HostOptions,
    HostRecord,
    check_name,
    host_folder,
    host_folders,
    lab_folder,
    lab_names,
    read_record,
    records,
    remove_tree,
    write_record,
)

PLAIN = HostOptions()


class Lab:
    """The hosts of one prefix. As a context manager it takes them down at the end."""

    def __init__(self, prefix: str, *, progress: Progress | None = None) -> None:
        """Speak for the lab of this prefix, whether it is up or not."""
        self.prefix = check_name(prefix)
        self._progress = progress or Progress()

    def __enter__(self) -> Self:
        """Return the lab."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the lab down."""
        self.down()

    def up(
        self,
        names: Sequence[str],
        *,
        options: HostOptions = PLAIN,
        files: Mapping[str, bytes] | None = None,
        timeout: float = 120,
    ) -> list[Host]:
        """Return running hosts PREFIX-NAME, in this order; those that run already are left as they are.

        `files` are put into each new host before its first boot, root's and readable by root alone: absolute path to
        content, as a cloud's user data. A host that is known but not running is made anew. Raise LabError if one is not
        up within `timeout` seconds, or runs with other options.
        """
        require_root()
        lower = options.image or self._base()
        with self._lock():
            keys.ensure_user_keys(self.prefix)
            chosen = [self._record(name, options, lower, files or {}) for name in names]
            self._publish()
            started = [record for record in chosen if not lifecycle.is_running(record)]
            if started:
                self._progress.say(f"starting {', '.join(record.name for record in started)}")
            for record in started:
                lifecycle.start(record)
            with ThreadPoolExecutor(max_workers=8) as pool:
                list(pool.map(lambda record: lifecycle.wait_ready(record, seconds=timeout), started))
            if started:
                self._progress.say(
                    f"{len(started)} up: " + ", ".join(f"{r.name} {r.address}" for r in started)
                )
        return [Host(record) for record in chosen]

    def down(self, names: Sequence[str] | None = None) -> None:
        """Remove hosts by full name, or all; also what a crashed run left. Nothing to do is no error."""
        require_root()
        with self._lock():
            folders = [
                folder for folder in host_folders(self.prefix) if names is None or folder.name in names
            ]
            if folders:
                self._progress.say(f"stopping {', '.join(folder.name for folder in folders)}")
            with ThreadPoolExecutor(max_workers=8) as pool:
                list(pool.map(lambda folder: lifecycle.remove(folder, read_record(folder)), folders))
            if host_folders(self.prefix):
                self._publish()
            else:
                remove_tree(lab_folder(self.prefix))
        with locked(GLOBAL_LOCK):
            if not records():
                network.remove_bridge()
            for folder in (LABS, STATE):
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()

    def hosts(self) -> list[Host]:
        """Return the lab's hosts in the order of their making, running or not."""
        return [Host(record) for record in records(self.prefix)]

    def host(self, name: str) -> Host:
        """Return a host by its full or short name; raise LabError if there is none."""
        for host in self.hosts():
            if host.name in {name, f"{self.prefix}-{name}"}:
                return host
        raise LabError(f"lab {self.prefix} has no host {name}")

    def _base(self) -> HostImage:
        baked = image.ensure(self._progress)
        return HostImage(digest=baked.digest, root=str(baked.root))

    def _lock(self) -> AbstractContextManager[None]:
        return locked(Path(f"/run/hostseal-lab-{self.prefix}.lock"), progress=self._progress)

    def _publish(self) -> None:
        found = records(self.prefix)
        for record in found:
            keys.ensure_host_key(record)
        keys.write_known_hosts(self.prefix, found)
        ssh.write_config(
            keys.ssh_config(self.prefix),
            addresses={record.name: record.address for record in found},
            identities=lab_folder(self.prefix) / "keys",
            known_hosts=keys.known_hosts(self.prefix),
        )

    def _record(
        self, short: str, options: HostOptions, lower: HostImage, files: Mapping[str, bytes]
    ) -> HostRecord:
        name = check_name(f"{self.prefix}-{short}")
        folder = host_folder(self.prefix, name)
        known = read_record(folder)
        if known is not None and lifecycle.is_running(known):
            if known.options != options:
                raise LabError(f"{name} runs with other options", f"take it down first: lab down {name}")
            return known
        if folder.exists():
            self._progress.say(f"cleaning up after an earlier {name}")
            lifecycle.remove(folder, known)
        with locked(GLOBAL_LOCK):
            record = self._allocate(name, options, lower)
        inject.lay_out(record.folder, files)
        return record

    def _allocate(self, name: str, options: HostOptions, lower: HostImage) -> HostRecord:
        taken = records()
        for other in taken:
            if other.name == name:
                raise LabError(f"{name} exists in lab {other.lab} already", "choose another prefix")
        # While any host exists the bridge does, so every address is from one range.
        subnet = network.ensure_bridge()
        indexes = {record.index for record in taken}
        index = next((number for number in range(2, 255) if number not in indexes), None)
        if index is None:
            raise LabError("all addresses of the lab are taken", "take a lab down: lab list, lab down NAME")
        record = HostRecord(
            name=name,
            lab=self.prefix,
            index=index,
            address=str(subnet[index]),
            prefix_length=subnet.prefixlen,
            machine_id=uuid.uuid4().hex,
            lower=lower.root,
            image=lower.digest,
            options=options,
        )
        write_record(record)
        return record


def all_labs() -> list[Lab]:
    """Return every lab of this machine that has anything on disk."""
    return [Lab(name) for name in lab_names()]
