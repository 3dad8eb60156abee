"""What a check of the policies found."""

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One fault: where (file and line, as far as they are known), what is wrong, and what to do."""

    where: str
    what: str
    hint: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the check; `problems` is empty when it passed, `note` says of how much."""

    name: str
    problems: tuple[Problem, ...]
    note: str
    seconds: float
