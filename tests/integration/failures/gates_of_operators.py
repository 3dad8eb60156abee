"""The gates on the control side: a play, CI, the fleet's controller and break-glass, each by its real code."""

import json
import re
import subprocess
import sys
from pathlib import Path

from msgspec import structs

from hostseal.cli.main import _exit_code
from hostseal.core import images, lifecycle
from hostseal.errors import HostsealError
from hostseal.fleet.controller import Controller
from hostseal.fleet.holder import this_process
from hostseal.fleet.policy import ReplacePolicy
from hostseal.fleet.store import LifeStore
from hostseal.images.catalogue import Catalogue
from hostseal.ledger import database
from integration.failures.faults import Address
from integration.failures.row import Place, Row, stable
from integration.gate.conftest import Bench
from unit.fleet.world import IMAGE, OLD, World


def play(place: Place, on_failure: str) -> Row:
    """A play that patches a sealed host, with the gate as its first task."""
    folder = place.folder / f"play-{on_failure}"
    folder.mkdir()
    bench = Bench(folder, place.at.url, Path("none"), Path("none"))
    options = {"url": place.at.url, "timeout": place.at.patience_seconds, "on_failure": on_failure}
    files = {"ca_file": place.at.ca, "token_file": place.at.token}
    gate = bench.gate()
    gate["hostseal.core.gate"] = {**options, **{key: str(path) for key, path in files.items() if path}}
    shown = {"ansible.builtin.debug": {"var": "gate.answered"}}
    done = bench.playbook(bench.write([gate, shown, bench.patch()]))
    said = " ".join((done.stdout + done.stderr).split())
    answered = re.search(r'"(?:gate\.)?answered": (true|false)', said)
    assert answered is not None, said
    level = "fails with" if done.returncode else "warns:"
    return Row(
        "goes on and changes the host" if bench.changed.exists() else "refused; nothing was changed",
        f"the play {level} “{stable(_reason(said))}”",
        f"`answered: {answered[1]}` in the task's result",
    )


def _reason(said: str) -> str:
    """Return why a play was refused, or that it had no answer, out of what ansible-playbook said."""
    if found := re.search(
        r"The policy gave no answer \(.*?\)(?=; on_failure is allow|, and on_failure)", said
    ):
        return found[0]
    message = re.search(r'"msg": "(.*?)"[,}]', said.replace('\\"', "'"))
    assert message is not None, said
    return message[1]


def _run(folder: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "hostseal", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def _complaint(done: "subprocess.CompletedProcess[str]") -> str:
    """Return what a command said went wrong, its hint in brackets as errors have it."""
    message, _, hint = done.stderr.strip().removeprefix("hostseal: ").partition("\n")
    return f"{message} ({hint.strip().removeprefix('-> ')})" if hint else message


def _opa_options(at: Address) -> list[str]:
    files = {"--ca": at.ca, "--token-file": at.token}
    return ["--opa-url", at.url, *(word for key, path in files.items() if path for word in (key, str(path)))]


def play_check(place: Place) -> Row:
    """The same play, judged in CI."""
    folder = place.folder / "check"
    folder.mkdir()
    bench = Bench(folder, "", Path("none"), Path("none"))
    written = bench.write([bench.patch()])
    done = _run(folder, "play", "check", written, "-i", "inventory.json", *_opa_options(place.at))
    sentence = _complaint(done) or done.stdout.strip().rpartition("-> ")[2]
    return Row(
        {1: "refused", 3: "neither allowed nor refused"}[done.returncode],
        f"exit {done.returncode}: “{stable(sentence)}”",
        "in the output of the run, which has failed",
    )


def replace(place: Place) -> Row:
    """The replacement of a flagged host whose time has come, by the fleet's controller."""
    database.make(place.folder / "ledger.db")
    world = World()
    store = LifeStore(database.Database(place.folder / "ledger.db"), world.now)
    catalogue = Catalogue(place.folder / "images")
    for step in (images.added, images.tested, images.promoted):
        catalogue.change(lambda known, step=step: step(known, IMAGE, world.now()))
    with store.lease(this_process()) as lease:
        store.save(lease, lifecycle.born(OLD, "2026-11-24T11:00:00.000000Z"))
    try:
        _replaced(store, world, ReplacePolicy(place.at.engine(), catalogue, "fleet"))
    except HostsealError as error:
        logged = f"exit {_exit_code(error)}: “{stable(str(error))}”"
    else:
        steps = ", ".join(step for _, _, step in world.records)
        return Row(
            f"replaced by {world.serving[0]}",
            f"in the ledger: {steps}",
            f"{_state(store)} in `hostseal fleet status`",
        )
    assert (list(world.machines_there), world.serving, world.created) == ([OLD.host], [OLD.host], [])
    state = _state(store)
    _replaced(store, world, ReplacePolicy(place.mended.engine(), catalogue, "fleet"))
    return Row(
        "nothing is done: the flagged host serves as before",
        logged,
        f"still {state} in `hostseal fleet status`; the next run after the repair: replaced by {world.serving[0]}",
    )


def _state(store: LifeStore) -> str:
    life = store.get(OLD.host)
    assert life is not None
    return str(life.state)


def _replaced(store: LifeStore, world: World, policy: ReplacePolicy) -> None:
    with store.lease(this_process()) as lease:
        controller = Controller(store, lease, structs.replace(world.ports(), policy=policy), attempts=3)
        life = controller.chosen(controller.observe(), None)
        assert life is not None
        controller.replace(life)


def grant(place: Place) -> Row:
    """A break-glass certificate that the site's rules allow."""
    folder = place.folder / "grant"
    folder.mkdir()
    done = _run(
        folder, "break-glass", "grant", "--user", "alice", "--host", "web-1-g1", "--instance", "a" * 32, "--ticket", "INC-1",
        "--reason", "the disk is full", "--person", "carol", "--authority", place.authority, "--record", "record",
        *_opa_options(place.at),
    )  # fmt: skip
    made = sorted(path.name for path in folder.iterdir() if path.is_file())
    listed = json.loads(_run(folder, "break-glass", "list", "--json", "--record", "record").stdout)
    if done.returncode == 0:
        assert listed[0]["decision"]
        logged = f"in the record of grants, with the decision's id: {listed[0]['grant']['ticket']}"
        return Row("a certificate is made", logged, f"{len(listed)} in `hostseal break-glass list`")
    assert made == []
    return Row(
        "no certificate is made",
        f"exit {done.returncode}: “{stable(_complaint(done))}”",
        f"{len(listed)} in `hostseal break-glass list`",
    )
