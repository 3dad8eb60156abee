"""`make bench-files`: every benchmark of the file sensors, then the tables and the plot out of what they found.

PYTHONPATH=agent:molecule:tests python -m bench.files_all
"""

import subprocess
import sys

from bench import results

STEPS = (
    ("files_burst", "--rounds", "3"),
    ("files_delay",),
    ("files_host", "--pairs", "6"),
    ("seal", "--rounds", "3", "--json", str(results.FOLDER / "seal.json")),
    ("tables",),
    ("plot",),
)


def main() -> None:
    for name, *options in STEPS:
        print(f"--- {name}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", f"bench.{name}", *options], check=True)


if __name__ == "__main__":
    main()
