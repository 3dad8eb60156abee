"""What a channel of an SSH connection was used for, from the least that can be done with it to the most."""

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of channel; the order of the members is from weak to strong.

    `forward` is also a session without any channel. `interactive_command` and `scp` are told by what the channel's
    processes do, all others by what sshd says.
    """

    FORWARD = "forward"
    COMMAND = "command"
    SUBSYSTEM = "subsystem"
    SFTP = "sftp"
    SCP = "scp"
    SHELL_NO_PTY = "shell_no_pty"
    COMMAND_WITH_PTY = "command_with_pty"
    INTERACTIVE_COMMAND = "interactive_command"
    SHELL = "shell"

    def outweighs(self, other: "Kind | None") -> bool:
        """Tell whether this says more than `other`, or anything at all where nothing was known (None)."""
        order = list(Kind)
        return other is None or order.index(self) > order.index(other)


ON_TERMINAL = frozenset({Kind.COMMAND_WITH_PTY, Kind.SHELL})
