"""A directory of this machine under a seal of its own, and a keeper that holds it to that; the scans are real processes."""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hostseal.clock import SystemClock
from hostseal.config.files import FilesSettings
from hostseal.config.seal import SealSettings
from hostseal.core.by_design import Classes
from hostseal.core.seal import Personal, rank
from hostseal.errors import SpoolError
from hostseal.scans.judge import Judge
from hostseal.scans.keeper import Keeper
from hostseal.seal.look import item
from hostseal.seal.writing import Writer

DEADLINE = 60.0
IMAGE = "sha256:" + "1" * 64


class Spool:
    """Keeps events; refuses when it is told to."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.refuse = 0
        self._news = threading.Condition()

    def __call__(self, event_type: str, data: Mapping[str, Any], *, sensor: str, key: str) -> str:
        with self._news:
            if self.refuse:
                self.refuse -= 1
                raise SpoolError("disk full")
            self.events.append((event_type, data))
            self._news.notify_all()
        return key

    def of(self, event_type: str) -> list[Mapping[str, Any]]:
        return [data for kind, data in self.events if kind == event_type]

    def wait(self, event_type: str, count: int = 1) -> Mapping[str, Any]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.of(event_type)) >= count, DEADLINE), self.events
        return self.of(event_type)[count - 1]


class SealedTree:
    """The tree with files `a` and `b` and a folder `d` with one, its seal, and what an agent keeps."""

    def __init__(self, folder: Path) -> None:
        self.top, self.state = folder / "tree", folder / "state"
        (self.top / "d").mkdir(parents=True)
        for name in ("a", "b", "d/c"):
            (self.top / name).write_text(name)
        self.key = Ed25519PrivateKey.generate()
        self.manifest, public = folder / "image.seal", folder / "seal.pub"
        public.write_bytes(
            self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        self.settings = SealSettings(manifest=str(self.manifest), public_key=str(public), urgent_seconds=30.0)
        self.seal()

    def seal(self, image: str = IMAGE, key: Ed25519PrivateKey | None = None) -> None:
        """Sign the tree as it is now."""
        folders = sorted((os.fsencode(root) for root, _, _ in os.walk(self.top)), key=rank)
        with Writer(self.manifest) as writer:
            for folder in folders:
                directory = os.open(folder, os.O_PATH | os.O_DIRECTORY)
                names = sorted(os.listdir(folder))
                items = [item(directory, name)[0] for name in names]
                os.close(directory)
                writer.add(folder, items, [""] * len(items))
            own = Personal(glob=f"{self.top}/own", reason="the host's own", owner="any")
            writer.finish(image, [f"{self.top}/*"], [own], key or self.key)

    def keeper(self, spool: Spool, **options: Any) -> Keeper:
        """Return a keeper, as a start of the agent makes one."""
        judge = Judge(Classes(FilesSettings().by_design))
        settings = options.pop("settings", self.settings)
        return Keeper(settings, self.state, spool, SystemClock(), judge, image=None, **options)


class Running:
    """A keeper in its thread."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper, self._stop = keeper, threading.Event()
        self._thread = threading.Thread(target=keeper.run, args=(self._stop,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.keeper.wake()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()

    def until(self, look: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the status once it is as `look` wants it."""
        pause, left = threading.Event(), DEADLINE
        while not look(found := self.keeper.status()):
            pause.wait(0.05)
            left -= 0.05
            assert left > 0, found
        return found
