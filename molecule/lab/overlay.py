"""A host's root: its own layer over an image that is only read. And the whole of it, copied out of a stopped host."""

import sys
from pathlib import Path

from lab.process import call
from lab.records import HostRecord


def mount_root(record: HostRecord) -> None:
    """Mount a host's root in this mount namespace."""
    folder = record.folder
    layers = f"lowerdir={record.lower},upperdir={folder / 'upper'},workdir={folder / 'work'}"
    # A filesystem mark that reports names needs file handles of the overlay: hence index and nfs_export.
    options = f"{layers},index=on,nfs_export=on"
    call(["mount", "-t", "overlay", "-o", options, "hostseal-lab", folder / "root"])


def capture(record: HostRecord, target: Path) -> None:
    """Copy all that a stopped host has on its disk into the folder `target`, which is made; owners and modes kept."""
    # In a mount namespace of its own: the mount ends with the process, however that ends.
    package = Path(__file__).parent.parent
    call(
        [
            *("unshare", "--mount", "--propagation", "private"),
            *(sys.executable, "-m", "lab.capture", record.folder, target),
        ],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(package), "LANG": "C.UTF-8"},
    )
