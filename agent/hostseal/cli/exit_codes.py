"""The exit codes of `hostseal`; docs/reference/cli.md lists them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a program may rely on."""

    OK = 0
    FAILED = 1
    REFUSED = 1
    BAD_INPUT = 2
    NOT_RUNNING = 3
    NO_ANSWER = 3
    FLAGGED = 4
    SUSPECT = 5
    TAMPERED = 6
    INCOMPLETE = 7
    SEAL_BROKEN = 8
