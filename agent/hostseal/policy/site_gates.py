"""Site data on the ways in: break-glass, logins, plays and the replacement of hosts."""

from typing import Annotated

from msgspec import Meta

from hostseal.core.certificate_lines import Why
from hostseal.policy.site_shape import Fingerprint, Name, Seconds, Shape

Attempts = Annotated[int, Meta(ge=1)]


class BreakGlass(Shape, frozen=True, kw_only=True):
    """Which certificates are taken for break-glass, and how far one goes.

    `authorities` are keys by fingerprint, `extensions` OpenSSH's own; `flag_on_refused` names the causes of refusals
    (`revoked`) that break the seal.
    """

    authorities: tuple[Fingerprint, ...]
    extensions: tuple[Name, ...]
    flag_on_refused: tuple[Why, ...]
    max_seconds: Seconds
    max_total_seconds: Seconds
    ticket_pattern: Name


class Login(Shape, frozen=True, kw_only=True):
    """What a login by break-glass costs (seconds until the host is replaced), and how one asks for it."""

    deadline_seconds: Seconds
    how_to_ask: Name


class Gate(Shape, frozen=True, kw_only=True):
    """What plays may do to sealed hosts.

    Roles are named by the collection they come from. Hosts of `build_groups` are where images are made; `controllers`
    are names of the machine a play runs from. A site adds to `read_only_modules`, or takes one back by `false`.
    """

    allowed_collections: tuple[Name, ...]
    allowed_roles: tuple[Name, ...]
    build_groups: tuple[Name, ...]
    controllers: tuple[Name, ...]
    read_only_modules: dict[Name, bool]
    rerouting_variables: tuple[Name, ...]


class Replace(Shape, frozen=True, kw_only=True):
    """How often the replacement of one host may fail before a person must look."""

    attempts: Attempts
