"""`make bench`: speed and memory on a lab host, each compared with something in the same run."""

import sys
import tempfile
from pathlib import Path

from bench.idle import idle
from bench.logins import added, hook
from lab import Lab
from lab_site import Site, install


def main() -> int:
    """Measure, and print one table; the burst of file changes is `python -m bench.files_burst`."""
    with Lab("bench") as lab, tempfile.TemporaryDirectory() as folder:
        host = lab.up(["host"])[0]
        install(Site(Path(folder)), [host])
        for unit, figures in idle(host).items():
            print(
                f"idle, {unit:<18} {figures['cpu_percent']:.2f} % CPU, {figures['rss_mb']:.0f} MB", flush=True
            )
        gate = hook(host)
        print(
            f"hook start to standing on disk   p50 {gate['p50']:.0f} ms, p99 {gate['p99']:.0f} ms", flush=True
        )
        login = added(host)
        ratio = login["with"] / login["without"]
        print(
            f"ssh host true                    {login['without']:.0f} ms without the hooks, {login['with']:.0f} with:"
            f" {login['added']:+.0f} ms, {ratio:.2f} times"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
