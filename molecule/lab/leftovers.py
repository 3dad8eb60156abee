"""What a lab has left on the machine, looked for where it would be and not where the records say."""

import os
from pathlib import Path

from lab import cgroup, lifecycle, network
from lab.errors import LabError
from lab.records import lab_folder, lab_names


def require_root() -> None:
    """Raise LabError unless this process may mount, make namespaces and move processes."""
    if os.geteuid() != 0:
        raise LabError(
            "the lab needs root: it mounts, makes namespaces and boots systemd", "run it with sudo"
        )


def leftovers(prefix: str) -> list[str]:
    """Return a line for every process, mount, link, control group and folder of a lab; none after `down`."""
    folder = lab_folder(prefix)
    found = [f"process {pid}: {line}" for pid, line in _processes(folder)]
    found += [f"process {pid} in control group {prefix}" for pid in sorted(cgroup.members(prefix))]
    found += [f"control group {group}" for group in cgroup.groups(prefix)]
    found += [f"mount {point}" for point in lifecycle.mounts_below(folder)]
    found += [f"link {link}" for link in network.links_with_alias(f"{cgroup.TOP}/{prefix}/")]
    for area in ("propagate", "unix-export", "locks"):
        below = lifecycle.NSPAWN_STATE / area
        if below.is_dir():
            found += [f"nspawn's {path}" for path in below.iterdir() if path.name.startswith(f"{prefix}-")]
    if folder.exists():
        found.append(f"folder {folder}")
    if not lab_names() and network.bridge_exists():
        found.append(f"bridge {network.BRIDGE}")
    return found


def _processes(folder: Path) -> list[tuple[int, str]]:
    """Return processes whose command line names the lab's folder: supervisors and nspawns, also lost ones."""
    wanted = f"{folder}/".encode()
    found: list[tuple[int, str]] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:  # it ended meanwhile
                continue
            if wanted in line:
                found.append(
                    (int(entry.name), line.replace(b"\0", b" ").decode(errors="backslashreplace").strip())
                )
    return found
