"""Packages of another Debian release for a host of the lab, chosen by apt as if the host itself asked for them."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lab import sources
from lab.errors import LabError
from lab.host import Host
from lab.process import call

_URI = re.compile(r"^(?:URIs:|deb\s+(?:\[[^]]*\]\s+)?)\s*(?P<uri>\S+)", re.MULTILINE)


def install(host: Host, suite: str, packages: Sequence[str]) -> None:
    """Put these packages of that release on the host, older or newer than its own; LabError when it cannot be done."""
    with tempfile.TemporaryDirectory(prefix="hostseal-release-") as folder:
        _fetch(Path(folder), host, suite, packages)
        host.copy_in(Path(folder) / "archives", "/run/release")
    options = "-y -qq --allow-downgrades --no-install-recommends -o Dpkg::Options::=--force-confold"
    host.peek(f"DEBIAN_FRONTEND=noninteractive apt-get {options} install /run/release/*.deb", timeout=300)
    host.peek("rm -r /run/release")


def _fetch(folder: Path, host: Host, suite: str, packages: Sequence[str]) -> None:
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").write_text(host.peek(["cat", "/var/lib/dpkg/status"]).stdout, encoding="utf-8")
    (folder / "sources.list").write_text("".join(_lines(suite)), encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": folder,
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Dir::Cache::archives": "archives",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    call(["apt-get", *options, "-qq", "update"])
    wanted = [f"{package}/{suite}" for package in packages]
    install = ["install", "--allow-downgrades", "--no-install-recommends"]
    call(["apt-get", *options, "-y", "-qq", "--download-only", *install, *wanted])
    shutil.rmtree(folder / "archives" / "partial")


def _lines(suite: str) -> Iterator[str]:
    """Yield apt's source line for that release, from where this machine has the lab's own."""
    for path in sources.source_files():
        if found := _URI.search(path.read_text(encoding="utf-8")):
            keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
            yield f"deb [signed-by={keyring}] {found['uri']} {suite} main\n"
            return
    raise LabError(f"no source of this machine says where {suite} could be had")
