"""Settings: what is wrong is named with file, line, key and what is allowed."""

from pathlib import Path

import pytest

from hostseal.config.load import drop_ins, load
from hostseal.errors import ConfigError


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def test_later_files_win_key_by_key(tmp_path: Path) -> None:
    first = write(tmp_path, "00.toml", '[agent]\nname = "a"\n[opa]\ntimeout_seconds = 2.5\n')
    second = write(tmp_path, "50.toml", '[agent]\nname = "b"\n')
    settings = load([first, second])
    assert (settings.agent.name, settings.opa.timeout_seconds) == ("b", 2.5)


def test_later_files_win_key_by_key_in_a_section_of_a_section_too(tmp_path: Path) -> None:
    first = write(tmp_path, "00.toml", "[files]\nqueue = 9\n[files.diff]\nmask = false\nmax_bytes = 5\n")
    second = write(tmp_path, "50.toml", "[files.diff]\nmax_bytes = 7\n")
    files = load([first, second]).files
    assert (files.queue, files.diff.mask, files.diff.max_bytes) == (9, False, 7)


def test_a_namesake_in_a_later_directory_hides_the_earlier(tmp_path: Path) -> None:
    write(tmp_path / "usr", "10.toml", "")
    mine = write(tmp_path / "etc", "10.toml", "")
    assert drop_ins([tmp_path / "usr", tmp_path / "etc"]) == (mine,)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[agent]\nnam = "x"\n', 2, ["agent.nam", "unknown key", "name"]),
        ("[agnet]\n", 1, ["agnet", "unknown key", "agent"]),
        ("\n[opa]\ntimeout_seconds = 'fast'\n", 3, ["opa.timeout_seconds", "'fast'", "expected `float`"]),
        (
            '[files]\n# which\nbackend = "fanotif"\n',
            3,
            ["files.backend", "'fanotif'", "auto, fanotify, inotify"],
        ),
        ("[files.diff]\nmax_byte = 1\n", 2, ["files.diff.max_byte", "unknown key", "max_bytes"]),
        ("[files]\n[files.diff]\nmask = 1\n", 3, ["files.diff.mask", "1", "expected `bool`"]),
        ("[files.diff]\nstore_bytes = 0\n", 2, ["files.diff.store_bytes", "0 is not more than 0"]),
        ("[actions]\nattempts = 0\n", 2, ["actions.attempts", "0 is not more than 0"]),
    ],
)
def test_a_bad_setting_names_file_line_key_and_what_is_allowed(
    tmp_path: Path, text: str, line: int, words: list[str]
) -> None:
    file = write(tmp_path, "10-site.toml", text)
    with pytest.raises(ConfigError) as caught:
        load([file])
    assert caught.value.hint == f"{file}:{line}"
    assert [word for word in words if word not in caught.value.message] == []


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "10-site.toml", "[agent\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load([file])
