"""The site's data about an automation controller: what its inventories hold, and which jobs may change sealed hosts."""

from collections.abc import Collection

from msgspec import UNSET, UnsetType

from hostseal.policy.site_convert import wrong
from hostseal.policy.site_shape import Name, Shape


class Inventory(Shape, frozen=True, kw_only=True):
    """One inventory of the controller: which of the site's groups its hosts are in; none when it holds no host of the site.

    `id` is the controller's; without it, every organization's inventory of the name is meant.
    """

    groups: tuple[Name, ...]
    id: int | UnsetType = UNSET


class AllowedJob(Shape, frozen=True, kw_only=True):
    """A job that may run on sealed hosts: a template of this name that runs this playbook of this project and source.

    `scm_branch` is the project's branch, or the job's own where a template lets it name one; empty for the default branch.
    """

    template: Name
    playbook: Name
    project: Name
    scm_url: str
    scm_branch: str


class Controller(Shape, frozen=True, kw_only=True):
    """What the policies know of the controller's jobs; an inventory that is not listed may hold any host."""

    allowed: tuple[AllowedJob, ...]
    inventories: dict[Name, Inventory]


def check(controller: Controller, groups: Collection[str]) -> None:
    """Raise PolicyError for an inventory that holds a group which the site does not have."""
    for name, inventory in controller.inventories.items():
        for group in inventory.groups:
            if group not in groups:
                raise wrong(f"controller.inventories.{name}.groups", f"{group!r} is not one of groups")
