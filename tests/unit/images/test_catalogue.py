"""The catalogue and the store on disk: whole or not at all, and one at a time."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hostseal.core import images as core
from hostseal.core.images import Track, added, promoted, revoked
from hostseal.errors import ImageError
from hostseal.images.catalogue import MANIFEST, PROVENANCE, ROOT, Catalogue
from hostseal.images.store import Store

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ONE = "sha256:" + "1" * 64


def make(folder: Path) -> str:
    (folder / ROOT / "etc").mkdir(parents=True)
    for name in (MANIFEST, PROVENANCE):
        (folder / name).write_text(name)
    return ONE


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    made = tmp_path / "made"
    made.mkdir()
    make(made)
    found = Catalogue(tmp_path / "catalogue")
    found.take_in(ONE, made)
    found.change(lambda images: added(images, ONE, NOW))
    return found


def test_an_image_is_where_its_digest_says_and_current_after_its_test(catalogue: Catalogue) -> None:
    with pytest.raises(ImageError, match="no image is current"):
        catalogue.current()
    catalogue.change(lambda images: promoted(core.tested(images, ONE, NOW), ONE, NOW))
    assert Catalogue(catalogue.folder).current().digest == ONE
    assert (catalogue.root(ONE) / "etc").is_dir()
    assert catalogue.place(ONE) == catalogue.folder / ("1" * 64)


def test_what_a_step_refuses_leaves_the_catalogue_as_it_was(catalogue: Catalogue) -> None:
    before = catalogue.images()
    with pytest.raises(ImageError):
        catalogue.change(lambda images: promoted(images, ONE, NOW))
    assert catalogue.images() == before


def test_a_revoked_image_has_no_root_and_a_lost_one_says_so(catalogue: Catalogue) -> None:
    (catalogue.place(ONE) / ROOT).resolve().joinpath("etc").rmdir()
    with pytest.raises(ImageError, match="are gone"):
        catalogue.root(ONE)
    catalogue.change(lambda images: revoked(images, ONE, "why", NOW))
    with pytest.raises(ImageError, match="was revoked"):
        catalogue.root(ONE)


@pytest.mark.parametrize("content", [b"", b"{", b'{"images": 3}', b"\xff", b'{"images": [], "more": 1}'])
def test_a_damaged_catalogue_is_an_error_and_stays(catalogue: Catalogue, content: bytes) -> None:
    path = catalogue.folder / "catalogue.json"
    path.write_bytes(content)
    for ask in (catalogue.images, catalogue.current, lambda: catalogue.change(lambda images: images)):
        with pytest.raises(ImageError, match="the catalogue cannot be read"):
            ask()
    assert path.read_bytes() == content


def test_many_changes_at_once_are_all_there_afterwards(catalogue: Catalogue) -> None:
    digests = [f"sha256:{number:064x}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda digest: catalogue.change(lambda images: added(images, digest, NOW)), digests))
    assert {image.digest for image in catalogue.images().images} == {ONE, *digests}
    assert {image.track for image in catalogue.images().images} == {Track.CANDIDATE}


def test_what_the_store_has_is_not_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digest, place, fresh = store.made("inputs", make, anew=False)
    assert (digest, place, fresh) == (ONE, tmp_path / ("1" * 64), True)
    assert store.made("inputs", lambda _: pytest.fail("made again"), anew=False) == (ONE, place, False)
    assert store.made("inputs", make, anew=True) == (ONE, place, True)
    assert store.find("other") is None


def test_two_that_want_the_same_image_make_one(tmp_path: Path) -> None:
    inside, at_once = threading.Semaphore(0), []

    def slow(folder: Path) -> str:
        at_once.append(1)
        inside.release()
        time.sleep(0.1)
        return make(folder)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: Store(tmp_path).made("inputs", slow, anew=False), range(4)))
    assert len(at_once) == 1
    assert [fresh for *_, fresh in found].count(True) == 1


def test_a_build_that_fails_or_is_killed_leaves_nothing_that_is_taken_for_an_image(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fail(folder: Path) -> str:
        make(folder)
        raise ImageError("half way")

    with pytest.raises(ImageError, match="half way"):
        store.made("inputs", fail, anew=False)
    code = """
import os, pathlib, signal, sys
from hostseal.images.store import Store
def half(folder):
    (folder / "rootfs/etc").mkdir(parents=True)
    os.kill(os.getpid(), signal.SIGKILL)
Store(pathlib.Path(sys.argv[1])).made("inputs", half, anew=False)
"""
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    assert store.find("inputs") is None
    assert len(list(tmp_path.glob(".make-*"))) == 1
    assert store.made("inputs", make, anew=False)[2]
    assert list(tmp_path.glob(".make-*")) == []


def test_images_nobody_asked_for_in_days_go_but_for_the_newest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(7):

        def numbered(folder: Path, number: int = number) -> str:
            make(folder)
            return f"sha256:{number:064x}"

        store.made(f"inputs{number}", numbered, anew=False)
    for number in range(7):
        old = time.time() - (10 - number) * 86_400
        os.utime(tmp_path / "by-inputs" / f"inputs{number}", (old, old))
    (tmp_path / "something-else").mkdir()
    store.find("inputs0")
    store.made("new", make, anew=False)
    left = {place.name for place in tmp_path.iterdir() if len(place.name) == 64}
    assert left == {"1" * 64, *(f"{number:064x}" for number in (0, 4, 5, 6))}
    assert (tmp_path / "something-else").is_dir()
