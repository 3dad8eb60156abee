"""Steps that a person waits for: named when they begin, ticking while they run, timed when they end."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from frame.errors import FrameError

TICK_SECONDS = 10.0
LOG_TAIL_BYTES = 4000


def say(line: str) -> None:
    """Print one line of progress. It goes to stderr: stdout is for results that another program reads."""
    print(line, file=sys.stderr, flush=True)


def run(
    title: str, argv: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Run one command as a named step.

    Its output is shown only when it fails. Raises FrameError with the end of that output.
    """
    started = time.monotonic()
    say(f"  {title} ...")
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                [str(arg) for arg in argv], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        except OSError as error:
            raise FrameError(
                f"{title}: cannot start {argv[0]}: {error.strerror}", hint="is it installed?"
            ) from error
        status = _wait(process, title, started)
        if status != 0:
            log.seek(max(0, log.tell() - LOG_TAIL_BYTES))
            tail = log.read().decode(errors="replace").rstrip()
            raise FrameError(
                f"{title}: {argv[0]} ended with status {status}\n{tail}", hint="its last lines are above"
            )
    say(f"  {title}: {time.monotonic() - started:.1f} s")


def _wait(process: subprocess.Popen[bytes], title: str, started: float) -> int:
    while True:
        try:
            return process.wait(timeout=TICK_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"  {title}: {time.monotonic() - started:.0f} s so far")
        except BaseException:
            process.kill()
            process.wait()
            raise
