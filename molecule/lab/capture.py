"""The program that copies a stopped host's disk: `python -m lab.capture FOLDER TARGET`, in a mount namespace of its own."""

import sys
from pathlib import Path

from lab.errors import LabError
from lab.overlay import mount_root
from lab.process import call
from lab.records import read_record


def main(folder: Path, target: Path) -> int:
    """Mount the root of the host described in `folder` and copy it to `target`."""
    record = read_record(folder)
    if record is None:
        raise LabError(f"{folder} describes no host")
    mount_root(record)
    target.mkdir(mode=0o755)
    call(["cp", "-a", "--no-target-directory", folder / "root", target])
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
