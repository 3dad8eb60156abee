"""Lengths of time on the command line: `90s`, `10m`, `1h`, `7d`."""

import re
from typing import Any

import click

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Duration(click.ParamType[float]):
    """A number with its unit; becomes seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds, or fail and say what would do."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,6})([smhd])", str(value))
        if found is None or not int(found[1]):
            self.fail(f"{value!r} is no length of time; like 90s, 10m, 1h, 7d", param, ctx)
        return float(int(found[1]) * _SECONDS[found[2]])


DURATION = Duration()
