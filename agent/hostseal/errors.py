"""Errors a person can act on: what went wrong, and a hint of where or what to do."""


class HostsealError(Exception):
    """The base of every error Hostseal raises on purpose.

    `message` says what is wrong, `hint` where (file, line, key) or what to do; either may be shown to a person.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(HostsealError):
    """The configuration cannot be used."""


class SpoolError(HostsealError):
    """The spool cannot take or give events."""


class SpoolFullError(SpoolError):
    """There is no room for this event; nothing already stored is affected."""


class PolicyError(HostsealError):
    """A policy, its data or its bundle cannot be used."""


class NoAnswerError(PolicyError):
    """The policy engine gave no usable answer: neither allow nor deny (law 3)."""


class UndefinedDecisionError(NoAnswerError):
    """The engine is healthy, yet the decision is undefined or not of the decision's shape."""


class SensorDiedError(HostsealError):
    """A sensor can no longer see."""


class ActionError(HostsealError):
    """An action cannot be started or did not succeed."""


class PardonError(HostsealError):
    """A pardon is refused."""


class PlaybookError(HostsealError):
    """A playbook, or what it is to be judged by, cannot be used."""


class OperatorError(HostsealError):
    """An operator's wish cannot be taken."""


class IllegalTransitionError(HostsealError):
    """A transition was asked of a state that does not have it."""


class UntrustedFileError(HostsealError):
    """A file that must be root's alone is not."""
