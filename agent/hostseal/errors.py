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


class BadInputError(HostsealError):
    """What a person or another program handed over cannot be used; nothing was done with it."""


class ConfigError(BadInputError):
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


class PardonError(BadInputError):
    """A pardon is refused."""


class BreakGlassError(BadInputError):
    """A break-glass certificate cannot be made, found or taken back as asked."""


class ReleaseError(BadInputError):
    """A release from lockdown is refused."""


class LockdownError(HostsealError):
    """A lockdown cannot be put in force as the policy's data has it."""


class SessionError(BadInputError):
    """No session, or more than one, is meant by what was asked for."""


class PlaybookError(BadInputError):
    """A playbook, or what it is to be judged by, cannot be used."""


class OperatorError(BadInputError):
    """An operator's wish cannot be taken."""


class ArmingError(BadInputError):
    """The login gate cannot be armed so."""


class IllegalTransitionError(HostsealError):
    """A transition was asked of a state that does not have it."""


class UntrustedFileError(HostsealError):
    """A file that must be root's alone is not."""


class LedgerError(HostsealError):
    """The ledger cannot be opened, read or written."""


class CheckpointError(LedgerError):
    """A checkpoint, or its key, does not hold."""


class RefusedError(LedgerError):
    """The ledger does not take what was posted; `status` is HTTP's."""

    def __init__(self, status: int, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class UplinkError(HostsealError):
    """The ledger cannot be reached, or gives no usable answer."""


class NotReplacedError(HostsealError):
    """The replacement that was asked for is not allowed now; nothing was changed."""


class LeaseError(HostsealError):
    """Another controller is at work, or has taken over."""


class BalancerError(HostsealError):
    """The load balancer did not do what it was asked to."""


class KeyFileError(BadInputError):
    """A file does not hold the key it should."""


class SealError(BadInputError):
    """A manifest cannot be made or believed; never taken for "nothing differs".

    `cause` is the word of the event seal.untrusted: missing, cut, version, signature, unknown_key, other_image, unreadable.
    """

    def __init__(self, message: str, *, hint: str = "", cause: str = "unreadable") -> None:
        super().__init__(message, hint=hint)
        self.cause = cause


class EnrolmentError(BadInputError):
    """A host's enrolment is refused."""


class ImageError(HostsealError):
    """An image cannot be built, found, moved to a track or used."""


class LauncherError(HostsealError):
    """The launcher of hosts did not do what it was asked."""


class PlanRefusedError(BadInputError):
    """A plan is not exactly the one change that was asked for."""


class LockedError(HostsealError):
    """Another process holds what is needed, and does not let it go."""
