"""Every file sensor, where a watched glob names files in a home and not a tree: profiles are seen, histories are not."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.file_sensors import NEEDS_ROOT, Grounds, Sink, running
from contract.test_file_sensor import KINDS
from hostseal.config.files import FilesSettings
from hostseal.ports import FileSensor
from hostseal.sensors.file_scope import Scope

PROFILES = tuple(glob for glob in FilesSettings().watch if glob.startswith("/home/*/."))
SEEN = (
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".pam_environment",
)
NOT_SEEN = (".bash_history", ".zsh_history", ".viminfo", ".lesshst", "notes.txt")


@pytest.fixture(params=[pytest.param(k, marks=() if k == "inotify-plain" else NEEDS_ROOT) for k in KINDS])
def seen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[list[str]], Sink]]:
    """Return a function that has a user come to be who writes files, and returns what a sensor saw."""
    backend, ground = KINDS[request.param]
    with ground(tmp_path) as root:
        grounds, sink = Grounds(root), Sink()
        os.makedirs(grounds.root + b"/home/alice")
        scope = Scope((f"{root}/etc", *(f"{root}{glob}" for glob in PROFILES)))

        def make() -> FileSensor:
            return backend(scope)

        def write(names: list[str]) -> Sink:
            code = "[open(x, 'w').write('x') for x in a]"
            grounds.do(code, *(grounds.root + b"/home/alice/" + os.fsencode(name) for name in names))
            grounds.do("open(a[0], 'w').close()", grounds.etc + b"/last")
            assert sink.wait(lambda: "modified" in sink.what(grounds.etc + b"/last"))
            return sink

        with running(make, sink, grounds):
            yield write


def test_profiles_are_seen_and_histories_are_not(seen: Callable[[list[str]], Sink]) -> None:
    sink = seen([*SEEN, *NOT_SEEN])
    told = {os.path.basename(change.path).decode() for change in sink.changes if b"/home/" in change.path}
    assert told == set(SEEN)
    assert sink.losses == []
