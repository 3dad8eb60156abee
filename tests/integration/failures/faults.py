"""What can go wrong with the policy engine, each made to happen: a real OPA, or a real port that nobody answers at."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hostseal.policy import bundle, signing, sources
from hostseal.policy.engine import OpaEngine
from hostseal.policy.packaged import policies
from hostseal.trial import opa_child
from policy.opa_server import TOKEN, OpaServer

ENTRY_POINTS = ("event", "login", "play", "replace", "break_glass")


class Address(NamedTuple):
    """Where the policy engine is said to be, and what its client needs."""

    url: str
    ca: Path | None = None
    token: Path | None = None
    server: OpaServer | None = None
    patience_seconds: float = 20.0

    def engine(self) -> OpaEngine:
        """Return the agent's own client."""
        return OpaEngine(self.url, ca=self.ca, token_file=self.token, timeout_seconds=self.patience_seconds)


Site = dict[str, Any]


@contextmanager
def healthy(folder: Path, site: Site) -> Iterator[Address]:
    """An OPA as it should be."""
    bundle.build(opa_child.find(), policies(), site, folder / "bundle.tar.gz", None)
    with opa_child.running(opa_child.find(), folder / "bundle.tar.gz", folder / "opa.log") as url:
        yield Address(url)


@contextmanager
def down(_folder: Path, _site: Site) -> Iterator[Address]:
    """Nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    yield Address(f"http://127.0.0.1:{port}")


@contextmanager
def slow(_folder: Path, _site: Site) -> Iterator[Address]:
    """Somebody takes the question and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield Address(f"http://127.0.0.1:{silent.getsockname()[1]}", patience_seconds=0.5)


@contextmanager
def undefined(folder: Path, _site: Site) -> Iterator[Address]:
    """An OPA that knows no such decision."""
    with _policies(folder, {"other": "package hostseal.other\nanswer := 1\n"}) as found:
        yield found


@contextmanager
def malformed(folder: Path, _site: Site) -> Iterator[Address]:
    """An OPA whose answer is no decision."""
    rego = {name: f'package hostseal.{name}\ndecision := {{"allowed": "yes"}}\n' for name in ENTRY_POINTS}
    with _policies(folder, rego) as found:
        yield found


@contextmanager
def unjudged(folder: Path, site: Site) -> Iterator[Address]:
    """An OPA whose data has a mode that nobody knows and no limit: nothing can be judged."""
    files = sources.collect(policies(), site)
    spoilt = json.loads(files[sources.SITE_DATA])
    spoilt["default"]["mode"] = spoilt["groups"]["fronts"]["mode"] = "enforse"
    del spoilt["break_glass"]["max_seconds"]
    for name, content in {**files, sources.SITE_DATA: json.dumps(spoilt).encode()}.items():
        path = folder / "policy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with _built(folder) as found:
        yield found


@contextmanager
def no_bundle(folder: Path, _site: Site) -> Iterator[Address]:
    """An OPA on a host whose bundle never came."""
    signing.generate_key_pair(folder / "key", folder / "pub")
    with _host_opa(folder, folder / "none.tar.gz", 500) as found:
        yield found


@contextmanager
def bad_signature(folder: Path, site: Site) -> Iterator[Address]:
    """An OPA on a host whose bundle is signed by another key."""
    signing.generate_key_pair(folder / "key", folder / "pub")
    signing.generate_key_pair(folder / "other.key", folder / "other.pub")
    bundle.build(opa_child.find(), policies(), site, folder / "bundle.tar.gz", folder / "other.key")
    with _host_opa(folder, folder / "bundle.tar.gz", 500) as found:
        yield found


@contextmanager
def stale(folder: Path, site: Site) -> Iterator[Address]:
    """An OPA on a host whose bundle was in force when its source went away."""
    signing.generate_key_pair(folder / "key", folder / "pub")
    bundle.build(opa_child.find(), policies(), site, folder / "bundle.tar.gz", folder / "key")
    with _host_opa(folder, folder / "bundle.tar.gz", 200) as found:
        (folder / "bundle.tar.gz").unlink()
        yield found


class Fault(NamedTuple):
    """One thing that goes wrong, in the page's words."""

    title: str
    begin: Callable[[Path, Site], AbstractContextManager[Address]]


FAULTS = {
    "none": Fault("nothing: OPA answers", healthy),
    "down": Fault("OPA is down", down),
    "slow": Fault("OPA is slow", slow),
    "undefined": Fault("the decision is undefined", undefined),
    "malformed": Fault("the answer is no decision", malformed),
    "unjudged": Fault("the input or the site's data cannot be judged", unjudged),
    "no_bundle": Fault("no bundle was ever activated", no_bundle),
    "bad_signature": Fault("the bundle's signature is wrong, and there is no older bundle", bad_signature),
    "stale": Fault("the bundle is old and no newer one comes", stale),
}


@contextmanager
def _policies(folder: Path, rego: dict[str, str]) -> Iterator[Address]:
    (folder / "policy").mkdir()
    for name, text in rego.items():
        (folder / "policy" / f"{name}.rego").write_text(text)
    with _built(folder) as found:
        yield found


@contextmanager
def _built(folder: Path) -> Iterator[Address]:
    program, made = opa_child.find(), folder / "bundle.tar.gz"
    subprocess.run([program, "build", "-b", folder / "policy", "-o", made], check=True, timeout=60)
    with opa_child.running(program, made, folder / "opa.log") as url:
        yield Address(url)


@contextmanager
def _host_opa(folder: Path, source: Path, health: int) -> Iterator[Address]:
    (folder / "token").write_text(TOKEN)
    with OpaServer(opa_child.find().absolute(), folder, source, folder / "pub") as server:
        server.wait_for(health)
        yield Address(f"https://127.0.0.1:{server.port}", folder / "server.pem", folder / "token", server)
