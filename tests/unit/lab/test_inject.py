"""Files put into a host before its first boot: where they should be, root's alone, and forgotten afterwards."""

import stat
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.inject import lay_out, put_in


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    folder, root = tmp_path / "host", tmp_path / "root"
    folder.mkdir()
    (root / "etc").mkdir(parents=True)
    return folder, root


def test_they_are_put_in_for_root_alone_and_the_machine_forgets_them(places: tuple[Path, Path]) -> None:
    folder, root = places
    lay_out(folder, {"/etc/hostseal/enrolment.json": b"secret", "/etc/it's \xe9": b"\0\xff"})
    assert stat.S_IMODE((folder / "inject").stat().st_mode) == 0o700
    put_in(folder, root)
    made = root / "etc/hostseal/enrolment.json"
    assert (made.read_bytes(), stat.S_IMODE(made.stat().st_mode)) == (b"secret", 0o600)
    assert (root / "etc/it's \xe9").read_bytes() == b"\0\xff"
    assert list(folder.iterdir()) == []
    put_in(folder, root)


@pytest.mark.parametrize("path", ["etc/x", "", "/etc/../../x", ".."])
def test_a_path_that_is_none_inside_is_refused(places: tuple[Path, Path], path: str) -> None:
    with pytest.raises(LabError, match="no absolute path"):
        lay_out(places[0], {path: b""})


def test_a_link_in_the_image_leads_nothing_out_of_the_root(places: tuple[Path, Path], tmp_path: Path) -> None:
    folder, root = places
    (tmp_path / "outside").mkdir()
    (root / "etc/hostseal").symlink_to(tmp_path / "outside")
    (root / "etc/file").symlink_to(tmp_path / "outside/file")
    lay_out(folder, {"/etc/hostseal/enrolment.json": b"secret"})
    with pytest.raises(LabError, match="leads out of the host's root"):
        put_in(folder, root)
    assert list((tmp_path / "outside").iterdir()) == []
    (other := tmp_path / "other").mkdir()
    lay_out(other, {"/etc/file": b"secret"})
    with pytest.raises(OSError, match="symbolic links"):
        put_in(other, root)
    assert list((tmp_path / "outside").iterdir()) == []
