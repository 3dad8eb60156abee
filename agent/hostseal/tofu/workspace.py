"""One fleet's workspace: its state, and the two changes there are, one host more and one host less."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hostseal import durable
from hostseal.core.plan_guard import Expected, StateMark, guard
from hostseal.launcher import Launcher, Machine, Wanted
from hostseal.locking import locked
from hostseal.tofu import program

_LOCK_TIMEOUT = "-lock-timeout=300s"
_WHOLE = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A saved plan: its file, what it says (`show -json`), and the state it was made for."""

    path: Path
    document: dict[str, Any]
    state: StateMark


class Workspace:
    """Speaks to the program about one fleet. One at a time: a second process waits."""

    def __init__(self, configuration: Path, folder: Path, launcher: Launcher) -> None:
        """Use the configuration (playbooks/pipeline/tofu) and keep state and plans in `folder`. LauncherError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._launcher = folder, launcher
        self._env = program.environment(folder / "data", launcher.program, launcher.environment)
        self._tool: tuple[str | Path, str] = (program.find(), f"-chdir={configuration.resolve()}")
        with locked(folder / ".lock"):
            backend = f"-backend-config=path={folder.resolve() / 'terraform.tfstate'}"
            self._call("init", "-no-color", "-input=false", "-reconfigure", backend)

    def hosts(self) -> dict[str, Wanted]:
        """Return the hosts in the state, by name, those included whose creation broke off."""
        return {name: host for name, (host, _) in self._state_hosts().items()}

    def add(self, wanted: Wanted) -> Machine:
        """Return the host, made if it is not there. After a run that was killed: the same host, never a second one.

        PlanRefusedError when the plan is anything but this one host more; LauncherError.
        """
        with locked(self._folder / ".lock"):
            before = self._state_hosts()
            if before.get(name_of(wanted)) != (wanted, _WHOLE):
                hosts = {name: host for name, (host, _) in before.items()}
                self._apply_guarded(self.plan({**hosts, name_of(wanted): wanted}), Expected.CREATE, wanted)
        found = [one for one in self._launcher.machines(wanted.slot) if one.instance == wanted.instance]
        # In the state, and yet not there: somebody took it away behind the state's back.
        return found[0] if found else self._launcher.create(wanted)

    def retire(self, host: Wanted) -> None:
        """Remove the host, from the state and where it runs; one that is gone is no error.

        PlanRefusedError when the plan is anything but this one host less; LauncherError.
        """
        with locked(self._folder / ".lock"):
            before = self.hosts()
            if name_of(host) in before:
                rest = {name: one for name, one in before.items() if name != name_of(host)}
                self._apply_guarded(self.plan(rest), Expected.DELETE, host)
            self._launcher.destroy(host.instance)

    def plan(self, hosts: Mapping[str, Wanted]) -> Plan:
        """Return a saved plan for exactly these hosts; applied by nobody but :meth:`apply`."""
        variables, path = self._folder / "hosts.tfvars.json", self._folder / "plan"
        durable.write(variables, msgspec.json.encode({"hosts": dict(hosts)}))
        state = self.mark()
        path.unlink(missing_ok=True)
        options = ("-no-color", "-input=false", _LOCK_TIMEOUT, f"-var-file={variables.resolve()}")
        self._call("plan", *options, f"-out={path.resolve()}")
        document = json.loads(self._call("show", "-json", str(path.resolve())))
        return Plan(path=path, document=document, state=state)

    def apply(self, plan: Plan) -> None:
        """Apply a saved plan; LauncherError when it fails, or the state is another by now."""
        self._call("apply", "-no-color", "-input=false", _LOCK_TIMEOUT, str(plan.path.resolve()))
        os.unlink(plan.path)

    def mark(self) -> StateMark:
        """Return which state there is now."""
        state = json.loads(self._call("state", "pull") or "{}")
        return StateMark(lineage=state.get("lineage", ""), serial=state.get("serial", 0))

    def _apply_guarded(self, plan: Plan, expected: Expected, host: Wanted) -> None:
        guard(plan.document, expected, msgspec.structs.asdict(host), planned=plan.state, now=self.mark())
        self.apply(plan)

    def _state_hosts(self) -> dict[str, tuple[Wanted, str]]:
        """Return each host in the state with its status, which is empty for a whole one and `tainted` for others."""
        state = json.loads(self._call("state", "pull") or "{}")
        found = {}
        for resource in state.get("resources", ()):
            for instance in resource.get("instances", ()):
                host = msgspec.convert(instance["attributes"]["input"]["value"], Wanted)
                found[name_of(host)] = (host, instance.get("status", _WHOLE))
        return found

    def _call(self, *words: str) -> str:
        return program.call([*self._tool, *words], self._env)


def name_of(host: Wanted) -> str:
    """Return a host's name in the configuration."""
    return f"{host.slot}-g{host.generation}"
