"""Host images of this checkout in the lab: built or found, booted as a test, current; and hosts from them by OpenTofu."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hostseal.core.images import Image
from hostseal.images import store as stores
from hostseal.images.boot_test import promote
from hostseal.images.build import Built, build
from hostseal.images.catalogue import Catalogue
from hostseal.images.inputs import Inputs
from hostseal.images.store import Store
from hostseal.launcher import Launcher
from hostseal.tofu.workspace import Workspace
from lab_site.install import AUTOMATION, REPO, wheelhouse

LAUNCHER = REPO / "playbooks/pipeline/launchers/lab/hostseal-launch"
CONFIGURATION = REPO / "playbooks/pipeline/tofu"


def shared_keys() -> Path:
    """Return the lab's own keys, made once: an image holds their public halves, so the same keys spare a build."""
    return stores.default_folder().with_name("lab-keys")


@dataclass(frozen=True)
class ImageSite:
    """A lab's images and hosts. `folder` is what is kept of it, `prefix` the lab's name, `data` the policy's site data.

    `variables` are further ones of the roles, `tasks` a file of Ansible tasks that installs what the hosts are there for.
    """

    folder: Path
    prefix: str
    default_mode: str = "flag"
    data: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    tasks: Path | None = None
    keys: Path = field(default_factory=shared_keys)

    @property
    def catalogue(self) -> Catalogue:
        """The images' catalogue."""
        return Catalogue(self.folder / "images")

    @property
    def environment(self) -> dict[str, str]:
        """What the lab's launcher must know."""
        return {
            "HOSTSEAL_LAB": self.prefix,
            "HOSTSEAL_CATALOGUE": str(self.folder / "images"),
            "HOSTSEAL_ENROLMENT_KEY": str(self.keys / "enrolment.key"),
        }

    @property
    def launcher(self) -> Launcher:
        """The lab as a launcher of hosts."""
        return Launcher(LAUNCHER, self.environment)

    def build(self, say: Callable[[str], None]) -> Built:
        """Return the image of this checkout, built unless the user's cache has it; HostsealError, LabError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        site = self.folder / "site.json"
        data = {
            "automation": {"accounts": [AUTOMATION], "key_fingerprints": []},
            "default": {"mode": self.default_mode},
            **self.data,
        }
        site.write_text(json.dumps(data, sort_keys=True) + "\n", "utf-8")
        variables = self.folder / "variables.json" if self.variables else None
        if variables is not None:
            variables.write_text(json.dumps(self.variables, sort_keys=True), "utf-8")
        inputs = Inputs(
            checkout=REPO,
            keys=self.keys,
            site=site,
            opa=REPO / ".tools/bin/opa",
            wheelhouse=Path(wheelhouse()),
            variables=variables,
            tasks=self.tasks,
        )
        return build(inputs, self.catalogue, Store(stores.default_folder()), self.launcher, say)

    def ensure_current(self, say: Callable[[str], None]) -> Image:
        """Return the image of this checkout as the current one: built if need be, and boot-tested here."""
        built = self.build(say)
        how = "built" if built.fresh else "found in the cache"
        say(f"image {built.digest[7:19]} {how} in {built.seconds:.1f} s")
        began = time.monotonic()
        image = promote(self.catalogue, self.launcher, built.digest)
        say(f"image {built.digest[7:19]} is current, boot test included {time.monotonic() - began:.1f} s")
        return image

    def workspace(self) -> Workspace:
        """Return the fleet as OpenTofu or Terraform keeps it."""
        return Workspace(CONFIGURATION, self.folder / "tofu", self.launcher)
