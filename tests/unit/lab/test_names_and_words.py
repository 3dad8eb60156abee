"""The lab's parts that need no host."""

import dataclasses
import json
import threading
from pathlib import Path

import pytest

from lab.cli import _host_last
from lab.errors import LabError
from lab.locks import locked
from lab.process import identify
from lab.records import HostOptions, HostRecord, check_name, read_record
from lab.ssh import remote_words
from lab.waiting import wait_until


@pytest.mark.parametrize("name", ["lab", "e2e-p123-web", "a1"])
def test_a_name_that_fits_host_folder_and_group_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "a--b", "A", "a/b", "..", "a b", "1a", "a" * 41])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="is no name"):
        check_name(name)


def test_options_may_follow_the_host_and_the_command_keeps_its_own() -> None:
    assert _host_last(["ssh", "lab-1", "--as", "deploy", "ls", "-l"]) == [
        "ssh",
        "--as",
        "deploy",
        "lab-1",
        "ls",
        "-l",
    ]
    assert _host_last(["ssh", "-t", "lab-1", "sh", "-c", "x"]) == ["ssh", "-t", "lab-1", "sh", "-c", "x"]


def test_words_are_quoted_for_the_remote_shell_and_text_is_not() -> None:
    assert remote_words(["echo", "$HOME", "a b"]) == ["echo '$HOME' 'a b'"]
    assert remote_words("echo $HOME") == ["echo $HOME"]
    assert remote_words(None) == []


def test_an_error_shows_its_advice_on_a_line_of_its_own() -> None:
    assert str(LabError("no image", "bake one")) == "no image\n  bake one"


def test_a_waiter_gives_up_by_name() -> None:
    with pytest.raises(LabError, match=r"gave up after 0.01 s waiting for rain"):
        wait_until(lambda: False, seconds=0.01, what="rain")


def test_a_number_used_again_is_another_process() -> None:
    this = identify(1)
    assert this is not None
    assert this.alive()
    assert not type(this)(pid=1, start=this.start + 1).alive()


def test_one_holder_at_a_time_and_no_file_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "lock"
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(50):
            with locked(path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (max(most), len(most)) == (1, 200)
    assert not path.exists()


def test_a_record_of_a_version_that_says_more_is_read(tmp_path: Path) -> None:
    known = HostRecord(
        name="x-1", lab="x", index=2, address="10.111.0.2", prefix_length=16, machine_id="m", lower="l", image="i",
        options=HostOptions(),
    )  # fmt: skip
    data = dataclasses.asdict(known)
    (tmp_path / "host.json").write_text(
        json.dumps({**data, "new": 1, "options": {**data["options"], "new": 1}})
    )
    assert read_record(tmp_path) == known
