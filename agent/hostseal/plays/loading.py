"""Loads a playbook with ansible-core's own loader, and makes of each play what its gate would ask (ADR 0014)."""

import getpass
import importlib
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from ansible import context
from ansible.cli.playbook import PlaybookCLI
from ansible.errors import AnsibleError
from ansible.playbook import Playbook
from ansible.plugins.loader import add_all_plugin_dirs, init_plugin_loader
from ansible.template import Templar
from ansible.utils.collection_loader import AnsibleCollectionConfig

from hostseal.errors import PlaybookError

_BUILDER = "ansible_collections.hostseal.core.plugins.plugin_utils.question"
# Where the collection lies in a checkout; an installed one is found as ansible-core finds it.
_CHECKOUT = Path(__file__).parents[3] / "collections"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What an `ansible-playbook` run would be given."""

    playbook: Path
    inventory: Sequence[str]
    limit: str | None = None
    tags: Sequence[str] = ()
    skip_tags: Sequence[str] = ()
    extra_vars: Sequence[str] = ()
    vault_password_file: Path | None = None


def questions(run: Run) -> list[Mapping[str, Any]]:
    """Return the input of `hostseal/play/decision` for each play, in the playbook's order.

    Raises PlaybookError when playbook, inventory or a play's host pattern cannot be read, and when the collection is
    not there. Sets ansible-core's global context: once a process.
    """
    try:
        return _questions(run)
    except AnsibleError as error:
        raise PlaybookError(f"ansible-core cannot load this: {error}", hint=str(run.playbook)) from error


def _questions(run: Run) -> list[Mapping[str, Any]]:
    folder = os.fsencode(run.playbook.parent.resolve())
    cli = PlaybookCLI(_command(run))
    cli.parse()
    init_plugin_loader([str(_CHECKOUT)] if _CHECKOUT.is_dir() else [])
    add_all_plugin_dirs(folder)
    AnsibleCollectionConfig.playbook_paths = [folder]
    builder = _builder()
    loader, inventory, variables = cli._play_prereqs()  # noqa: SLF001 - loader, vault and inventory as ansible-playbook has them
    inventory.subset(context.CLIARGS["subset"])
    playbook = Playbook.load(str(run.playbook), variable_manager=variables, loader=loader)
    asker = {"user": getpass.getuser(), "controller": platform.node()}
    asked = []
    for play in playbook.get_plays():
        loader.set_basedir(play._included_path or playbook._basedir)  # noqa: SLF001 - as PlaybookExecutor.run does
        pattern = Templar(loader, variables=variables.get_vars(play=play)).template(play.hosts)
        hosts = [host.name for host in inventory.get_hosts(pattern)]
        asked.append(builder.question(play, hosts, loader, variables, asker))
    return asked


def _command(run: Run) -> list[str]:
    command = ["ansible-playbook", str(run.playbook)]
    for option, values in (
        ("--inventory", run.inventory),
        ("--limit", [run.limit] if run.limit else []),
        ("--tags", run.tags),
        ("--skip-tags", run.skip_tags),
        ("--extra-vars", run.extra_vars),
        ("--vault-password-file", [str(run.vault_password_file)] if run.vault_password_file else []),
    ):
        command += [f"{option}={value}" for value in values]
    return command


def _builder() -> ModuleType:
    try:
        return importlib.import_module(_BUILDER)
    except ImportError as error:
        raise PlaybookError(
            f"the collection hostseal.core cannot be used: {error}",
            hint="install it, or name its place by ANSIBLE_COLLECTIONS_PATH",
        ) from error
