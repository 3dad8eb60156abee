"""Real test hosts on one machine: an image baked from Debian's packages, booted by systemd-nspawn.

Used by the demo, the end-to-end tests, Molecule's create and destroy, and people
(`PYTHONPATH=molecule python -m lab`). Standard library only, so that it runs before anything is installed.
"""

from lab.console import Console
from lab.errors import LabError
from lab.host import Host
from lab.instance import Lab, all_labs
from lab.leftovers import leftovers
from lab.records import HostImage, HostOptions
from lab.ssh import Completed

__all__ = [
    "Completed",
    "Console",
    "Host",
    "HostImage",
    "HostOptions",
    "Lab",
    "LabError",
    "all_labs",
    "leftovers",
]
