"""One image for the whole test session, built or found in the cache, current in a catalogue of the session's own."""

import os
import sys
from collections.abc import Iterator

import pytest

from contract.launchers import stale
from hostseal.core.images import Image
from lab import Lab, all_labs, leftovers
from lab_site.images import ImageSite


@pytest.fixture(scope="session")
def image_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageSite]:
    """The site, whose hosts are removed at the end; nothing may be left behind."""
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("CI must run the tests on real hosts, which need root")
        pytest.skip("real hosts need root: mounts, namespaces, systemd-nspawn")
    for lab in all_labs():
        if stale(lab.prefix):
            lab.down()
    site = ImageSite(tmp_path_factory.mktemp("images"), f"image-p{os.getpid()}")
    yield site
    Lab(site.prefix).down()
    assert leftovers(site.prefix) == []


@pytest.fixture(scope="session")
def current(image_site: ImageSite) -> Image:
    """The current image."""
    return image_site.ensure_current(lambda line: print(f"image: {line}", file=sys.stderr, flush=True))
