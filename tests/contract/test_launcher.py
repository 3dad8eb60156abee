"""What every launcher of hosts does (docs/reference/launcher.md): the noting one of the tests, and the lab's."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from contract.launchers import IMAGE, NotingLauncher
from hostseal.core.images import Image
from hostseal.errors import LauncherError
from hostseal.launcher import Launcher, Wanted
from lab_site.images import ImageSite

pytest_plugins = ["e2e.image_fixture"]


@pytest.fixture(params=["notes", pytest.param("lab", marks=[pytest.mark.lab, pytest.mark.timeout(600)])])
def launcher(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Launcher]:
    if request.param == "notes":
        yield NotingLauncher(tmp_path / "launcher")
        return
    site: ImageSite = request.getfixturevalue("image_site")
    request.getfixturevalue("current")
    yield site.launcher
    for machine in site.launcher.machines():
        site.launcher.destroy(machine.instance)


@pytest.fixture
def wanted(launcher: Launcher, request: pytest.FixtureRequest) -> Wanted:
    image: Image | None = None if isinstance(launcher, NotingLauncher) else request.getfixturevalue("current")
    return Wanted(
        slot="web-1",
        generation=2,
        instance=str(uuid.uuid4()),
        image=IMAGE if image is None else image.digest,
    )


def test_a_host_is_made_found_again_and_removed(launcher: Launcher, wanted: Wanted) -> None:
    made = launcher.create(wanted)
    assert (made.slot, made.generation, made.instance, made.image) == (
        wanted.slot,
        wanted.generation,
        wanted.instance,
        wanted.image,
    )
    assert made.state == "running"
    assert made.name.endswith("web-1-g2")
    assert launcher.create(wanted) == made
    assert launcher.machines("web-1") == (made,)
    assert launcher.machines("web-2") == ()
    launcher.destroy(wanted.instance)
    launcher.destroy(wanted.instance)
    assert launcher.machines() == ()


def test_a_place_that_another_instance_has_is_refused(launcher: Launcher, wanted: Wanted) -> None:
    made = launcher.create(wanted)
    with pytest.raises(LauncherError, match="exists as"):
        launcher.create(replace(wanted, instance=str(uuid.uuid4())))
    assert launcher.machines() == (made,)


def test_two_that_create_the_same_host_at_once_get_one(launcher: Launcher, wanted: Wanted) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(launcher.create, [wanted, wanted])
    assert first == second
    assert launcher.machines() == (first,)


@pytest.mark.parametrize(
    "request_", ["", "{}", "[]", "3", '{"action": "dance"}', '{"action": "create"}', "{"]
)
def test_what_is_no_request_fails_and_says_why(launcher: Launcher, request_: str) -> None:
    done = subprocess.run(
        [launcher.program, request_],
        env={**os.environ, **launcher.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.strip()
