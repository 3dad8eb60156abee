"""Opens what the agent keeps on disk, and sets a damaged spool aside without losing it."""

import time
from pathlib import Path

from hostseal.config.settings import SpoolSettings
from hostseal.errors import SpoolError, SpoolFullError
from hostseal.spool.sqlite import SqliteSpool
from hostseal.standing_file import StandingFile

SEQ_JUMP = 1_000_000


def open_state(state: Path, settings: SpoolSettings) -> tuple[SqliteSpool, StandingFile, str | None]:
    """Return spool, standing and, when a damaged spool was set aside, where; SpoolError when there is no room.

    After setting one aside, `seq` goes on beyond anything the old one can have used: the gap is visible.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SpoolError(f"cannot make the state directory: {error}", hint=str(state)) from error
    flag = StandingFile(state / "flag.json")
    path = state / "spool.db"
    options = {"kept": settings.kept, "reserve_bytes": settings.reserve_bytes}
    try:
        return SqliteSpool(path, **options), flag, None
    except SpoolFullError:
        raise
    except SpoolError:
        if not path.is_file():
            raise
    aside = path.with_name(f"spool.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.db")
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return SqliteSpool(path, **options, first_seq=flag.now.seq + SEQ_JUMP), flag, str(aside)
