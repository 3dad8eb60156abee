"""Looks at a successor from outside before it serves: agent, policy engine, seal, and the service itself."""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence

from hostseal.core.lifecycle import Instance
from hostseal.errors import HostsealError, ImageError
from hostseal.images.catalogue import Catalogue
from hostseal.images.verification import healthy, require_intact
from hostseal.launcher import Launcher, Machine

_PAUSE_SECONDS = 0.2
_REQUEST_SECONDS = 5.0
# Neither proxies nor credentials of the environment belong on the way to a host of our own.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class HostVerifier:
    """Asks the host over ssh, as automation, and its service over HTTP."""

    def __init__(
        self, launcher: Launcher, catalogue: Catalogue, port: int, path: str, *, seconds: float
    ) -> None:
        """`port` and `path` are the service's; `seconds` bounds the wait for each thing."""
        self._launcher, self._catalogue = launcher, catalogue
        self._port, self._path, self._seconds = port, path, seconds

    def problems(self, instance: Instance) -> Sequence[str]:
        """Return what is wrong with it, a sentence each."""
        found = [one for one in self._launcher.machines(instance.slot) if one.instance == instance.id]
        if not found:
            return (f"there is no instance {instance.id}",)
        return tuple(self._looked(found[0]))

    def _looked(self, machine: Machine) -> Iterator[str]:
        checks: tuple[Callable[[], object], ...] = (
            lambda: healthy(machine, seconds=self._seconds),
            lambda: require_intact(machine, self._catalogue.place(machine.image)),
            lambda: self._serves(machine),
        )
        for check in checks:
            try:
                check()
            except HostsealError as error:
                yield str(error)

    def _serves(self, machine: Machine) -> None:
        url = f"http://{machine.address}:{self._port}{self._path}"
        deadline = time.monotonic() + self._seconds
        while True:
            try:
                with _OPENER.open(url, timeout=_REQUEST_SECONDS):
                    return
            except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
                if time.monotonic() > deadline:
                    raise ImageError(f"the service does not answer at {url}: {error}") from error
            time.sleep(_PAUSE_SECONDS)
