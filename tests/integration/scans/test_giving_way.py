"""A loss does not wait for a scan in the background: that is broken off, and made again afterwards."""

import os
import sys
from pathlib import Path

from tests.integration.scans.sealed_tree import Running, SealedTree, Spool

from hostseal.core.scan_plan import Cause
from hostseal.scans.child import Child
from hostseal.scans.owed import Owed

LOSS = Owed(sensor="files.x", cause="queue_overflow", scope="all", since="1", until="2", detail={})
SLOW = """#!/bin/sh
case "$*" in *--idle*) echo >>"{begun}"; while [ -e "{held}" ]; do sleep 0.1; done;; esac
exec "{python}" -I -m hostseal "$@"
"""


def test_a_loss_is_scanned_while_a_long_scan_in_the_background_waits_and_that_is_made_afterwards(
    tmp_path: Path,
) -> None:
    tree, spool = SealedTree(tmp_path), Spool()
    held, begun, program = tmp_path / "held", tmp_path / "begun", tmp_path / "hostseal"
    held.touch()
    program.write_text(SLOW.format(begun=begun, held=held, python=sys.executable))
    program.chmod(0o755)
    child = Child(tree.settings, tmp_path / "cache", [str(program)])
    top = [os.fsencode(tree.top)]
    with Running(tree.keeper(spool, child=child)) as running:
        running.until(lambda status: status["state"] == "intact")
        running.keeper.rest({}, top, None)
        running.until(lambda _: begun.exists())
        (tree.top / "a").write_text("A")
        running.keeper.owe(LOSS, Cause.LOSS, top)
        assert spool.wait("sensor.lost")["detail"]["differences"] == 1
        held.unlink()
        found = running.until(lambda status: status["scans"]["last"]["pace"] == "rest")
        assert found["scans"]["last"]["outcome"] == "done"
        assert found["scans"]["ended"]["gave_way"] == 1
