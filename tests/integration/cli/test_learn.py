"""`doctor --learn` without an agent: by a sensor of its own, on a directory of this machine's."""

import threading
import tomllib
from pathlib import Path

import pytest
from msgspec.structs import replace

from hostseal.cli.learn import watch
from hostseal.config.files import Backend, FilesSettings
from hostseal.config.settings import Settings


def test_what_is_seen_is_told_and_nothing_is_proposed_of_nobodys_doing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTSEAL_SOCKET", str(tmp_path / "nobody"))
    watched = tmp_path / "etc"
    watched.mkdir()
    files = replace(FilesSettings(), backend=Backend.INOTIFY, watch=(str(watched),), quiet_seconds=0.1)
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.1):
            (watched / "printers.conf").write_text("new")

    writing = threading.Thread(target=write)
    writing.start()
    try:
        watch(Settings(files=files), tmp_path, 3.0, as_json=False)
    finally:
        stop.set()
        writing.join()
    told = capsys.readouterr().out
    assert "by a sensor of its own, for no agent runs" in told
    assert f"#   {watched}/printers.conf, " in told
    assert "who changed it is not known" in told
    assert tomllib.loads(told) == {}
