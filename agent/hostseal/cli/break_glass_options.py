"""Options that several commands of `hostseal break-glass` have."""

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from hostseal.core.break_glass import SignerKind

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def _record_folder() -> Path:
    """Return where a user's record is, by the XDG base directory specification."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".local/state") / "hostseal/break-glass"


record_option = click.option(
    "--record", type=click.Path(file_okay=False, path_type=Path), default=_record_folder,
    show_default="~/.local/state/hostseal/break-glass", help="The folder of the record of what is granted here.",
)  # fmt: skip
as_json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
person_option = click.option("--person", default=getpass.getuser, show_default="you", help="Who does it.")

_MAKING = (
    click.option("--for", "lasting", default="30m", show_default=True, help="How long: 30m, 1h30m."),
    click.option("--authority", type=_FILE, required=True, help="Its key file; the public one where the key is elsewhere."),
    click.option(
        "--signer", type=click.Choice([str(kind) for kind in SignerKind]), default=str(SignerKind.FILE), show_default=True,
        help="Who signs: this program or ssh-keygen with a key file, ssh-keygen with an agent's or a token's key.",
    ),
    click.option("--pkcs11", type=_FILE, help="With --signer pkcs11: the token's library."),
    click.option("--passphrase-fd", type=click.IntRange(0), help="Read the key's passphrase from this descriptor."),
    click.option(
        "--passphrase-file", type=_FILE, envvar="HOSTSEAL_BREAK_GLASS_PASSPHRASE_FILE", show_envvar=True,
        help="Or from this file. Without either it is asked for.",
    ),
    click.option("--extension", multiple=True, default=["permit-pty"], show_default=True, help="What the login may use."),
    click.option("--opa-url", help="An OPA that runs already, like https://opa.example.org:8181."),
    click.option("--ca", type=_FILE, help="The authority of its TLS certificate."),
    click.option("--token-file", type=_FILE, help="Its API token."),
    click.option("--bundle", type=_FILE, help="Without --opa-url: a bundle for an OPA of its own."),
    click.option("--bundle-key", type=_FILE, help="The public key that verifies a signed bundle."),
    click.option("--policies", type=_FOLDER, help="Without --opa-url and --bundle: policies; else the packaged ones."),
    click.option("--site", type=_FILE, help="With policies: the site's data (JSON)."),
    record_option,
    as_json_option,
)  # fmt: skip


def making_options(command: F) -> F:
    """Give a command what making a certificate takes: how long, who signs, which policy, where it is recorded."""
    for option in reversed(_MAKING):
        command = option(command)
    return command
