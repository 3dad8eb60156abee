"""One archive of what is known of a host before it goes: the ledger's records, its journal, its processes."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from hostseal import durable
from hostseal.core.event import from_timestamp
from hostseal.core.lifecycle import Life
from hostseal.core.text import shown
from hostseal.errors import LauncherError
from hostseal.launcher import Launcher, Machine, fetch
from hostseal.ledger.book import Ledger
from hostseal.ledger.entry import Kind, Record
from hostseal.ledger.facts import at
from hostseal.ledger.search import Query
from hostseal.ledger.story import RECORDS, Story, tell

_KINDS = (Kind.EVENT, Kind.DECISION, Kind.FLAG, Kind.ACTION, Kind.PARDON)
_HOST_SECONDS = 60.0
_SLACK = timedelta(minutes=5)
_HOST_BYTES = 32 << 20
_PROCESSES = ("ps", "-eo", "pid,ppid,user,lstart,tty,args", "--no-headers")


class EvidencePack:
    """Collects over ssh, as automation, what only the host has; the rest comes from the ledger, where nobody changed it."""

    def __init__(self, ledger: Ledger, launcher: Launcher, folder: Path) -> None:
        self._ledger, self._launcher, self._folder = ledger, launcher, folder

    def collect(self, life: Life, token: str) -> str:
        """Write `TOKEN.tar.gz` and return its digest (`sha256:HEX`). What the host does not give is said in `missing.txt`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = self._ledger.newest(Query(host=life.instance.host), RECORDS)
        records = [record for record in known if record.kind in _KINDS]
        story = tell(records, life.incident.id if life.incident else None)
        since = 0 if story is None else story.position
        files = {
            "records.jsonl": b"".join(
                msgspec.json.encode(one) + b"\n" for one in records if one.position >= since
            ),
            "story.json": msgspec.json.format(msgspec.json.encode(story), indent=1),
            "changed-files.txt": "".join(f"{path}\n" for path in _changed(records, since)).encode(),
            **self._from_host(life, story),
        }
        content = _archive(files)
        durable.write(self._folder / f"{token}.tar.gz", content)
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def _from_host(self, life: Life, story: Story | None) -> dict[str, bytes]:
        began = ["--boot"] if story is None else [f"--since={_before(story.since)}"]
        wanted = {
            "journal.export": ("journalctl", "--output=export", "--no-pager", *began),
            "processes.txt": _PROCESSES,
        }
        found, missing = {}, []
        machines = [
            one for one in self._launcher.machines(life.instance.slot) if one.instance == life.instance.id
        ]
        for name, command in wanted.items():
            try:
                found[name], cut = _asked(machines, command)
            except LauncherError as error:
                missing.append(f"{name}: {error}\n")
            else:
                missing += [f"{name}: cut after {_HOST_BYTES} bytes\n"] if cut else []
        return {**found, "missing.txt": "".join(missing).encode()}


def _asked(machines: Sequence[Machine], command: Sequence[str]) -> tuple[bytes, bool]:
    if not machines:
        raise LauncherError("the host is gone")
    return fetch(machines[0], command, seconds=_HOST_SECONDS, limit=_HOST_BYTES)


def _before(received: str) -> str:
    """Return a while before the ledger got the first record, as journalctl takes it: the host's clock is its own."""
    return (from_timestamp(received) - _SLACK).strftime("%Y-%m-%d %H:%M:%S UTC")


def _changed(records: Sequence[Record], since: int) -> Iterator[str]:
    """Yield each changed path once, escaped."""
    seen = set()
    for record in records:
        paths = at(record.body, "event", "data", "paths") if record.position >= since else None
        for path in paths if isinstance(paths, list) else ():
            line = shown(str(at(path, "path")))
            if line not in seen:
                seen.add(line)
                yield line


def _archive(files: dict[str, bytes]) -> bytes:
    """Return the files as a gzip'ed tar whose bytes depend on nothing but them."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o600, 0
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()
