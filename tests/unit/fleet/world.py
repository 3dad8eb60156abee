"""A small world for the controller: each port remembers what was done to it, and any of its calls can be the last one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from hostseal.core.decision import Decision
from hostseal.core.lifecycle import Incident, Instance, Life
from hostseal.errors import LauncherError, NoAnswerError
from hostseal.fleet.controller import Ports

IMAGE = "sha256:" + "1" * 64
OLD = Instance(slot="web-1", generation=1, id="i-1", image="sha256:" + "0" * 64, address="10.111.0.2")
INCIDENT = Incident(
    id="incident-1", deadline="2026-11-24T12:00:00.000000Z", reasons=("alice opened a shell",)
)
T = TypeVar("T")


class Killed(BaseException):
    """The controller's process is gone."""


class World:
    """Everything outside the controller. `kill_at` counts calls down: at zero the caller dies, after the effect."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 24, 13, tzinfo=UTC)
        self.flagged = {OLD.host: INCIDENT}
        self.machines_there = {OLD.host: OLD}
        self.serving = [OLD.host]
        self.created: list[str] = []
        self.records: list[tuple[str, str, str]] = []
        self.kill_at = 0
        self.create_fails = False
        self.remove_fails = False
        self.left: list[str] = []
        self.unfit: tuple[str, ...] = ()
        self.allowed = True
        self.answers = True
        self.ids = 0

    def ports(self) -> Ports:
        return Ports(
            flags=self, policy=self, images=self, evidence=self, machines=self, verifier=self, balancer=self,
            journal=self, now=self.now, new_id=self.new_id, tell=lambda _step, _what: None,
        )  # fmt: skip

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def new_id(self) -> str:
        self.ids += 1
        return f"id-{self.ids}"

    def open(self) -> dict[str, Incident]:
        return dict(self.flagged)

    def replace(self, life: Life, image: str, now: str) -> Decision:
        if not self.answers:
            raise NoAnswerError("undefined")
        said = () if self.allowed else ("not now",)
        return Decision(allowed=self.allowed, violations=said, findings=(), actions=())

    def current(self) -> str:
        return IMAGE

    def collect(self, life: Life, token: str) -> str:
        return self._did("sha256:evidence")

    def known(self, slot: str) -> Sequence[Instance]:
        return [one for one in self.machines_there.values() if one.slot == slot]

    def create(self, instance: Instance) -> Instance:
        if self.create_fails:
            raise LauncherError("no room")
        if instance.host not in self.machines_there:
            self.machines_there[instance.host] = instance
            self.created.append(instance.host)
        return self._did(replace(instance, name=instance.host, address=f"address-of-{instance.host}"))

    def remove(self, instance: Instance) -> None:
        assert instance.host not in self.serving, "what serves is removed"
        if self.remove_fails:
            raise LauncherError("the launcher is down")
        self.machines_there.pop(instance.host, None)
        self._did("")

    def problems(self, instance: Instance) -> Sequence[str]:
        return self._did(self.unfit)

    def serve(self, instance: Instance) -> None:
        if instance.host not in self.serving:
            self.serving.append(instance.host)
        self._did("")

    def drain(self, instance: Instance) -> None:
        if instance.host in self.serving:
            self.serving.remove(instance.host)
        assert self.serving, "nobody serves"
        self._did("")

    def forget(self, instance: Instance) -> None:
        self._did("")

    def record(self, life: Life, step: str, why: str) -> None:
        token = life.replacement.token if life.replacement else ""
        entry = (life.instance.host, token, step)
        if entry not in self.records:
            self.records.append(entry)
        self._did("")

    def gone(self, instance: Instance, why: str) -> None:
        if instance.host not in self.left:
            self.left.append(instance.host)
        self._did("")

    def _did(self, result: T) -> T:
        if self.kill_at:
            self.kill_at -= 1
            if self.kill_at == 0:
                raise Killed
        return result
