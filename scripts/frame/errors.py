"""The one error of the frame: something a person can mend, with the way to mend it."""

import sys
from collections.abc import Callable


class FrameError(Exception):
    """A step of the frame could not be done; `hint` says what the person at the keyboard can do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def exit_status(main: Callable[[list[str]], None]) -> int:
    """Run `main` with the command line's arguments; return 0, or 1 after saying what went wrong."""
    try:
        main(sys.argv[1:])
    except FrameError as error:
        print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
        return 1
    return 0
