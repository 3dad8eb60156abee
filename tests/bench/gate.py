"""What the gate adds to a play: `ansible-playbook` with it against without it, in pairs, in front of a real OPA.

PYTHONPATH=agent:molecule:tests .venv/bin/python -m bench.gate
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hostseal.policy import bundle, signing
from hostseal.policy.packaged import policies
from hostseal.trial import opa_child
from policy.opa_server import TOKEN, OpaServer

ROOT = Path(__file__).parents[2]
PAIRS = 20
SITE = {"default": {"mode": "flag"}}
# As many tasks as a middling play has: judged by the gate, and left out by both plays.
TASKS = 100


def main() -> int:
    """Measure, and print one line."""
    with tempfile.TemporaryDirectory() as name:
        folder, opa = Path(name), opa_child.find()
        signing.generate_key_pair(folder / "key", folder / "pub")
        bundle.build(opa, policies(), SITE, folder / "bundle.tar.gz", folder / "key")
        with OpaServer(opa.absolute(), folder, folder / "bundle.tar.gz", folder / "pub") as server:
            server.wait_for(200)
            (folder / "token").write_text(TOKEN)
            plays = {"without": _play(folder, None), "with": _play(folder, server)}
            times: dict[str, list[float]] = {kind: [] for kind in plays}
            for _ in range(PAIRS):
                for kind, playbook in plays.items():
                    times[kind].append(_run(playbook))
    medians = {kind: statistics.median(taken) for kind, taken in times.items()}
    added = statistics.median(
        gated - plain for gated, plain in zip(times["with"], times["without"], strict=True)
    )
    print(
        f"a play of {TASKS} tasks          {medians['without']:.0f} ms without the gate, {medians['with']:.0f} with:"
        f" {added:+.0f} ms (median of {PAIRS} pairs)"
    )
    return 0


def _play(folder: Path, server: OpaServer | None) -> Path:
    look = [{"name": f"Look {number}", "ansible.builtin.stat": {"path": "/"}} for number in range(TASKS)]
    tasks: list[dict[str, Any]] = [{"ansible.builtin.meta": "end_play"}, *look]
    if server is not None:
        files = {"ca_file": str(folder / "server.pem"), "token_file": str(folder / "token")}
        gate = {"url": f"https://127.0.0.1:{server.port}", **files}
        tasks.insert(0, {"name": "Ask", "hostseal.core.gate": gate, "tags": ["always"]})
    path = folder / ("gated.yml" if server else "plain.yml")
    play = {"name": "A play", "hosts": "web-1,web-2", "gather_facts": False, "tasks": tasks}
    path.write_text(json.dumps([play]))
    return path


def _run(playbook: Path) -> float:
    program = Path(sys.executable).with_name("ansible-playbook")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")}
    began = time.perf_counter()
    subprocess.run(
        [program, "-i", "web-1,web-2,", playbook],
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
