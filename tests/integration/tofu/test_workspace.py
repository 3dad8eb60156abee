"""Hosts by a real OpenTofu or Terraform: one change a plan, whatever is killed in between, and no plan but a guarded one."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from contract.launchers import IMAGE, NotingLauncher
from hostseal.core.plan_guard import Expected, StateMark, guard
from hostseal.errors import LauncherError, PlanRefusedError
from hostseal.launcher import Wanted
from hostseal.tofu.workspace import Workspace

ROOT = Path(__file__).parents[3]
CONFIGURATION = ROOT / "playbooks/pipeline/tofu"
ADD = """
import sys, msgspec, pathlib
from hostseal.launcher import Launcher, Wanted
from hostseal.tofu.workspace import Workspace
configuration, folder, program, wanted = sys.argv[1:]
workspace = Workspace(pathlib.Path(configuration), pathlib.Path(folder), Launcher(pathlib.Path(program)))
getattr(workspace, "{method}")(msgspec.json.decode(wanted, type=Wanted))
"""


def host(slot: str = "web-1", generation: int = 1) -> Wanted:
    return Wanted(slot=slot, generation=generation, instance=str(uuid.uuid4()), image=IMAGE)


@pytest.fixture
def launcher(tmp_path: Path) -> NotingLauncher:
    return NotingLauncher(tmp_path / "launcher")


@pytest.fixture
def workspace(tmp_path: Path, launcher: NotingLauncher) -> Workspace:
    return Workspace(CONFIGURATION, tmp_path / "fleet", launcher)


def until(done: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, f"gave up waiting for {what}"
        time.sleep(0.01)


def names(launcher: NotingLauncher) -> list[object]:
    return [machine["name"] for machine in launcher.machine_files()]


def test_a_successor_comes_and_the_old_one_goes_each_by_one_change(
    workspace: Workspace, launcher: NotingLauncher
) -> None:
    old, new, other = host(), host(generation=2), host(slot="web-2")
    for one in (old, other):
        workspace.add(one)
    made = workspace.add(new)
    assert (made.instance, made.image) == (new.instance, IMAGE)
    assert workspace.hosts() == {"web-1-g1": old, "web-1-g2": new, "web-2-g1": other}
    workspace.retire(old)
    assert workspace.hosts() == {"web-1-g2": new, "web-2-g1": other}
    assert names(launcher) == ["web-1-g2", "web-2-g1"]
    assert [action for action in launcher.asked() if action == "destroy"] == ["destroy"] * 2


def test_the_same_asked_again_changes_nothing(workspace: Workspace, launcher: NotingLauncher) -> None:
    one = host()
    made = workspace.add(one)
    mark = workspace.mark()
    assert workspace.add(one) == made
    assert workspace.mark() == mark
    workspace.retire(one)
    workspace.retire(one)
    assert (workspace.hosts(), names(launcher)) == ({}, [])


def test_a_host_that_went_behind_the_states_back_is_made_again(
    workspace: Workspace, launcher: NotingLauncher
) -> None:
    one = host()
    workspace.add(one)
    launcher.destroy(one.instance)
    assert workspace.add(one).instance == one.instance
    assert names(launcher) == ["web-1-g1"]


def test_a_host_outside_the_state_is_adopted_and_also_removed(
    workspace: Workspace, launcher: NotingLauncher
) -> None:
    one = host()
    there = launcher.create(one)
    assert workspace.add(one) == there
    launcher.create(orphan := host(slot="web-2"))
    workspace.retire(orphan)
    assert names(launcher) == ["web-1-g1"]


def test_a_creation_that_fails_can_be_asked_again_and_destroys_nothing_for_it(
    workspace: Workspace, launcher: NotingLauncher
) -> None:
    one = host()
    (launcher.folder / "fail").touch()
    with pytest.raises(LauncherError, match="it broke off"):
        workspace.add(one)
    (launcher.folder / "fail").unlink()
    assert workspace.add(one).instance == one.instance
    assert "destroy" not in launcher.asked()
    assert names(launcher) == ["web-1-g1"]


def test_a_host_whose_creation_failed_can_be_given_up(workspace: Workspace, launcher: NotingLauncher) -> None:
    one = host()
    (launcher.folder / "fail").touch()
    with pytest.raises(LauncherError):
        workspace.add(one)
    workspace.retire(one)
    assert (workspace.hosts(), names(launcher)) == ({}, [])


@pytest.mark.parametrize("method", ["add", "retire"])
@pytest.mark.parametrize("victim", ["caller", "program", "both"])
def test_killed_in_the_middle_and_asked_again_there_is_one_host_or_none(
    tmp_path: Path, workspace: Workspace, launcher: NotingLauncher, victim: str, method: str
) -> None:
    one = host()
    if method == "retire":
        workspace.add(one)
    (launcher.folder / "started").unlink(missing_ok=True)
    hold = launcher.folder / "hold"
    if method == "add":
        hold.touch()
    arguments = [CONFIGURATION, tmp_path / "fleet", launcher.program, json.dumps(as_dict(one))]
    caller = subprocess.Popen(
        [sys.executable, "-c", ADD.format(method=method), *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if method == "add":
        until((launcher.folder / "started").exists, "the creation")
    else:
        until(lambda: applying(tmp_path), "the removal")
    programs = applying(tmp_path)
    if victim != "program":
        caller.send_signal(signal.SIGKILL)
    for pid in programs if victim != "caller" else []:
        os.kill(pid, signal.SIGKILL)
    hold.unlink(missing_ok=True)
    caller.wait(60)
    getattr(workspace, method)(one)
    if method == "add":
        assert workspace.hosts() == {"web-1-g1": one}
        assert [machine["instance"] for machine in launcher.machine_files()] == [one.instance]
    else:
        assert (workspace.hosts(), names(launcher)) == ({}, [])


def as_dict(wanted: Wanted) -> dict[str, object]:
    return {
        "slot": wanted.slot,
        "generation": wanted.generation,
        "instance": wanted.instance,
        "image": wanted.image,
    }


def applying(top: Path) -> list[int]:
    """The programs of this test's workspace that apply a plan."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"apply" in words and any(str(top).encode() in word for word in words):
                found.append(int(entry.name))
    return found


def refused(workspace: Workspace, hosts: dict[str, Wanted], expected: Expected, one: Wanted) -> str:
    plan = workspace.plan(hosts)
    with pytest.raises(PlanRefusedError) as caught:
        guard(plan.document, expected, as_dict(one), planned=plan.state, now=workspace.mark())
    return caught.value.message


def test_real_plans_that_are_more_less_or_other_are_refused(workspace: Workspace) -> None:
    one, two = host(), host(slot="web-2")
    workspace.add(one)
    there = {"web-1-g1": one}
    cases = {
        "two hosts more": ({**there, "web-2-g1": two, "web-3-g1": host(slot="web-3")}, Expected.CREATE, two),
        "one more and one less": ({"web-2-g1": two}, Expected.CREATE, two),
        "nothing": (there, Expected.CREATE, one),
        "another image": ({"web-1-g1": replace(one, image="sha256:" + "2" * 64)}, Expected.CREATE, one),
        "another instance": ({"web-1-g1": host()}, Expected.DELETE, one),
        "the wrong one less": ({}, Expected.DELETE, two),
    }
    said = {name: refused(workspace, *case) for name, case in cases.items()}
    assert "web-3-g1" in said["two hosts more"]
    assert 'module.host["web-1-g1"].terraform_data.host: delete' in said["one more and one less"]
    assert "has 0 changes" in said["nothing"]
    assert "delete+create" in said["another image"]
    assert "delete+create" in said["another instance"]
    assert "has 0 changes" in said["the wrong one less"]


def test_a_place_taken_by_another_instance_is_not_replaced(
    workspace: Workspace, launcher: NotingLauncher
) -> None:
    workspace.add(one := host())
    with pytest.raises(PlanRefusedError, match=r"delete\+create"):
        workspace.add(host())
    assert [machine["instance"] for machine in launcher.machine_files()] == [one.instance]


def test_a_stale_plan_is_refused_by_the_guard_and_by_the_program(workspace: Workspace) -> None:
    one, two = host(), host(slot="web-2")
    plan = workspace.plan({"web-1-g1": one})
    kept = plan.path.with_name("stale")
    os.link(plan.path, kept)
    workspace.add(two)
    with pytest.raises(PlanRefusedError, match="it was made for state"):
        guard(plan.document, Expected.CREATE, as_dict(one), planned=plan.state, now=workspace.mark())
    with pytest.raises(LauncherError, match="stale"):
        workspace.apply(replace(plan, path=kept))


def test_an_errored_plan_is_refused_though_its_file_is_there(
    tmp_path: Path, workspace: Workspace, launcher: NotingLauncher
) -> None:
    bad = replace(host(), image="not a digest")
    with pytest.raises(LauncherError, match="An image is named by its digest"):
        workspace.plan({"web-1-g1": bad})
    document = json.loads(workspace._call("show", "-json", str(tmp_path / "fleet/plan")))
    with pytest.raises(PlanRefusedError, match="planning failed half way"):
        guard(document, Expected.CREATE, as_dict(bad), planned=StateMark(), now=workspace.mark())
    assert names(launcher) == []


def test_nothing_of_the_callers_own_settings_reaches_the_program(
    workspace: Workspace, launcher: NotingLauncher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TF_CLI_ARGS", "-destroy")
    monkeypatch.setenv("TF_VAR_hosts", "{}")
    monkeypatch.setenv("TF_WORKSPACE", "other")
    again = Workspace(CONFIGURATION, tmp_path / "fleet", launcher)
    again.add(one := host())
    assert again.hosts() == workspace.hosts() == {"web-1-g1": one}


def test_nothing_is_written_into_the_configuration(workspace: Workspace) -> None:
    workspace.add(host())
    found = sorted(path.relative_to(CONFIGURATION) for path in CONFIGURATION.rglob("*") if path.is_file())
    assert list(map(str, found)) == ["main.tf", "modules/host/main.tf"]
