"""Takes of processors and disks what nothing else wants."""

import os

_NICEST = 19


def stand_back() -> None:
    """Give this process the lowest priority; for SCHED_IDLE, sched(7), the disks' one is the idle class too.

    Called before workers are started, which take it over. OSError.
    """
    os.setpriority(os.PRIO_PROCESS, 0, _NICEST)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
