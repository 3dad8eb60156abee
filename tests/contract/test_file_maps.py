"""A map through which a sealed file can be changed is found while it is there."""

import os
import subprocess
import sys
from pathlib import Path

from hostseal.sensors.file_maps import writable_maps
from hostseal.sensors.file_scope import Scope

HOLD = """
import mmap, os, sys
file = os.open(os.fsencode(sys.argv[1]), os.O_RDWR)
view = mmap.mmap(file, 0, flags=mmap.MAP_SHARED if sys.argv[2] == "shared" else mmap.MAP_PRIVATE)
view[0] = 33
print("done", flush=True)
sys.stdin.readline()
"""


def found_while(kind: str, path: bytes, scope: Scope) -> tuple[int, list[tuple[bytes, int]]]:
    command = [sys.executable, "-ISE", "-c", HOLD, os.fsdecode(path), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "done\n"
        found = writable_maps(scope)
        process.stdin.close()
        assert process.wait(30) == 0
        return process.pid, found


def test_a_shared_writable_map_of_a_watched_file_is_found_and_gone_when_it_is(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    scope = Scope([str(tmp_path / "etc")])
    os.makedirs(folder + b"/etc")
    for path in (folder + b"/etc/\xff\nsealed", folder + b"/outside"):
        with open(path, "wb") as file:
            file.write(b"sealed")
    pid, found = found_while("shared", folder + b"/etc/\xff\nsealed", scope)
    assert found == [(folder + b"/etc/\xff\nsealed", pid)]
    assert writable_maps(scope) == []
    assert found_while("private", folder + b"/etc/\xff\nsealed", scope)[1] == []
    assert found_while("shared", folder + b"/outside", scope)[1] == []
