"""Site data on what is seen: what a channel, an expected change, a silent witness means."""

from enum import StrEnum

from hostseal.policy.site_shape import Shape


class ChannelAnswer(StrEnum):
    """What a person's channel of one kind does to a suspect host."""

    FLAG = "flag"
    LIFT = "lift"


class Missing(StrEnum):
    """The witness whose silence about a login may flag a host: core/session.py."""

    PAM = "pam"
    JOURNAL = "journal"
    SSHD = "sshd"


class Tolerated(StrEnum):
    """What an expected change of sealed files does: nothing beyond its event, a finding, or a flag."""

    ALLOW = "allow"
    RECORD = "record"
    FLAG = "flag"


class Recorded(StrEnum):
    """What something that is on record in any case does besides, when it is a person's."""

    RECORD = "record"
    FLAG = "flag"


class Channels(Shape, frozen=True, kw_only=True):
    """The answer for each kind of channel."""

    shell: ChannelAnswer
    shell_no_pty: ChannelAnswer
    command: ChannelAnswer
    command_with_pty: ChannelAnswer
    interactive_command: ChannelAnswer
    sftp: ChannelAnswer
    scp: ChannelAnswer
    subsystem: ChannelAnswer
    forward: ChannelAnswer
