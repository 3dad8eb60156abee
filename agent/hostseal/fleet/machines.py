"""The image pipeline behind the Machines port: OpenTofu's two plans, one host more and one host less."""

from collections.abc import Sequence

from msgspec.structs import replace

from hostseal.core.lifecycle import Instance
from hostseal.launcher import Wanted
from hostseal.tofu.workspace import Workspace


class TofuMachines:
    """Makes and removes instances. Creating finds the instance that is there, so neither makes a second one."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def known(self, slot: str) -> Sequence[Instance]:
        """Return the slot's instances in the state. LauncherError."""
        hosts = self._workspace.hosts().values()
        return [
            Instance(slot=one.slot, generation=one.generation, id=one.instance, image=one.image)
            for one in hosts
            if one.slot == slot
        ]

    def create(self, instance: Instance) -> Instance:
        """Return the instance, up and answering, with the name and address it has. LauncherError, PlanRefusedError, ImageError."""
        machine = self._workspace.add(wanted(instance))
        return replace(instance, name=machine.name, address=machine.address)

    def remove(self, instance: Instance) -> None:
        """Remove the instance; one that is gone is no error. LauncherError, PlanRefusedError."""
        self._workspace.retire(wanted(instance))


def wanted(instance: Instance) -> Wanted:
    """Return the instance as the launcher is asked for it."""
    return Wanted(
        slot=instance.slot, generation=instance.generation, instance=instance.id, image=instance.image
    )
