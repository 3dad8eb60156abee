"""The lab's own promises, on hosts that really boot."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lab import Host, HostOptions, Lab, LabError, image, leftovers
from lab.lifecycle import nspawn_lock
from lab.process import first_child
from lab.progress import Progress
from lab.records import host_folder, read_run, remove_tree
from lab.waiting import wait_until

HostFactory = Callable[..., Host]
pytest_plugins = ["e2e.lab_fixture"]
pytestmark = pytest.mark.lab
MOLECULE = Path(__file__).parents[2] / "molecule"


@pytest.fixture(scope="module")
def plain(host_factory: HostFactory) -> Host:
    return host_factory("plain")


def command_line(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab", *words],
        env={**os.environ, "PYTHONPATH": str(MOLECULE)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_host_runs_with_no_failed_unit(plain: Host) -> None:
    assert plain.run(["systemctl", "is-system-running"]).stdout == "running\n"
    assert plain.run(["systemctl", "--failed", "--no-legend"]).stdout == ""


def test_a_host_has_its_own_name_identity_and_key(plain: Host) -> None:
    assert plain.run(["hostname"]).stdout == f"{plain.name}\n"
    assert plain.run(["cat", "/etc/machine-id"]).stdout == f"{plain.machine_id}\n"
    assert plain.run("ls /etc/ssh/*_key").stdout == "/etc/ssh/ssh_host_ed25519_key\n"
    kind, key, _ = plain.run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout.split()
    assert f"{plain.name},{plain.address} {kind} {key}\n" in plain.known_hosts.read_text(encoding="ascii")


def test_nothing_of_this_machine_s_apt_sources_is_in_the_image(plain: Host) -> None:
    assert (
        plain.run(
            "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>&1 | grep -v 'No such'", check=False
        ).stdout
        == ""
    )
    assert plain.run("find /etc/apt/apt.conf.d -name '*mmdebstrap*' -o -name '*proxy*'").stdout == ""


def test_people_and_automation_log_in_with_a_terminal_and_without(plain: Host) -> None:
    with_terminal = plain.ssh("alice", "tty", pty=True)
    assert re.fullmatch(r"/dev/pts/\d+\r\n", with_terminal.stdout)
    without = plain.ssh("bob", ["printf", "%s|", "two words", "$HOME", "it's"])
    assert (without.returncode, without.stdout) == (0, "two words|$HOME|it's|")
    assert plain.ssh("alice", "cat", input="caf\udce9\n").stdout == "caf\udce9\n"
    assert plain.ssh("deploy", "sudo -n id -u").stdout == "0\n"
    assert plain.ssh("bob", "sudo -n id -u").returncode == 1


def test_a_shell_is_what_no_command_gives(plain: Host) -> None:
    assert plain.ssh("alice", None, input="echo $((6*7)); exit 3\n").stdout.endswith("\n42\n")
    assert plain.ssh("alice", None, input="exit 3\n").returncode == 3


def test_a_command_that_hangs_is_given_up(plain: Host) -> None:
    with pytest.raises(LabError, match="not done after 1 s"):
        plain.ssh("alice", "cat /dev/tty || read line", pty=True, timeout=1)


def test_files_and_folders_are_copied_in_as_root_s(plain: Host, tmp_path: Path) -> None:
    source = tmp_path / "a, [folder]"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "program").write_text("#!/bin/sh\n", encoding="ascii")
    (source / "inner" / "program").chmod(0o755)
    plain.copy_in(source, "/root/new/place")
    plain.copy_in(source / "inner" / "program", "/root/new/it's one")
    plain.copy_in(source / "inner" / "program", "/root/new/a.file, a\\b & [c]$")
    seen = plain.run(["find", "/root/new", "-type", "f", "-printf", "%P %u %m\n"]).stdout
    assert sorted(seen.splitlines()) == [
        "a.file, a\\b & [c]$ root 755",
        "it's one root 755",
        "place/inner/program root 755",
    ]


def test_a_look_from_outside_is_no_login(plain: Host) -> None:
    before = plain.journal("-u", "ssh", "--grep", "Accepted publickey", "-o", "cat")
    assert plain.peek(["cat", "/etc/hostname"]).stdout == f"{plain.name}\n"
    assert plain.journal("-u", "ssh", "--grep", "Accepted publickey", "-o", "cat") == before


def test_a_mark_on_the_root_file_system_names_what_changed(plain: Host) -> None:
    probe = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
queue = libc.fanotify_init(0x200 | 0x400 | 0x800 | 0x1, os.O_RDONLY)  # FAN_REPORT_FID, DIR_FID, NAME; FAN_CLOEXEC
assert queue >= 0, os.strerror(ctypes.get_errno())
mask = ctypes.c_uint64(0x100 | 0x40000000)  # FAN_CREATE | FAN_ONDIR
marked = libc.fanotify_mark(queue, 0x1 | 0x100, mask, -100, b"/etc")  # FAN_MARK_ADD | FAN_MARK_FILESYSTEM
assert marked == 0, os.strerror(ctypes.get_errno())
open("/etc/named-by-the-mark", "w").close()
assert b"named-by-the-mark" in os.read(queue, 4096)
"""
    plain.run(["python3", "-"], input=probe)


def test_a_reboot_comes_back_with_the_same_disk_and_another_boot_id(fresh_host: HostFactory) -> None:
    host = fresh_host("again")
    boot_id = host.peek(["cat", "/proc/sys/kernel/random/boot_id"]).stdout
    host.run("echo kept > /root/mark")
    host.reboot()
    assert host.peek(["cat", "/proc/sys/kernel/random/boot_id"]).stdout != boot_id
    assert host.run("cat /root/mark; systemctl is-system-running").stdout == "kept\nrunning\n"


def test_a_stopped_host_shut_down_in_order_and_starts_again(fresh_host: HostFactory) -> None:
    host = fresh_host("halted")
    host.stop()
    assert host.state() == "stopped"
    host.start()
    before = host.journal("-b", "-1", "-o", "cat")
    assert "Stopped ssh.service" in before
    assert before.endswith("Shutting down.\nJournal stopped\n")


def test_root_types_at_the_console_of_a_host_with_special_options(fresh_host: HostFactory) -> None:
    host = fresh_host("special", console=True, state_size="16M", max_startups="100:30:200")
    with host.console() as console:
        assert console.run("id -u; false") == (1, "0\n")
        status, text = console.run(
            "df --output=size /var/lib/hostseal | tail -1; sshd -T | grep ^maxstartups"
        )
        assert (status, text.split()) == (0, ["16384", "maxstartups", "100:30:200"])
        # A login of its own: nothing inherited from the process that started the lab.
        assert console.run("cat /proc/self/loginuid; echo")[1] == "0\n"
    host.reboot()
    with host.console() as console:
        assert console.run("systemctl is-system-running") == (0, "running\n")


def test_up_and_down_twice_are_as_good_as_once(lab: Lab) -> None:
    prefix = f"{lab.prefix}-twice"
    first = command_line("up", "--name", prefix, "one", "two")
    assert first.returncode == 0, first.stderr
    listed = json.loads(command_line("list", "--name", prefix, "--json").stdout)
    assert [(host["name"], host["state"]) for host in listed] == [
        (f"{prefix}-one", "running"),
        (f"{prefix}-two", "running"),
    ]
    assert len({host["address"] for host in listed} | {host.address for host in lab.hosts()}) == 2 + len(
        lab.hosts()
    )
    assert command_line("up", "--name", prefix, "one", "two").stdout == first.stdout
    assert json.loads(command_line("list", "--name", prefix, "--json").stdout) == listed
    assert command_line("ssh", f"{prefix}-two", "--as", "deploy", "uname", "-n").stdout == f"{prefix}-two\n"
    by_config = ["ssh", "-F", listed[1]["ssh_config"], f"bob@{prefix}-two", "whoami"]
    assert subprocess.run(by_config, capture_output=True, check=True).stdout == b"bob\n"
    with pytest.raises(LabError, match="other options"):
        Lab(prefix).up(["one"], options=HostOptions(console=True))
    assert command_line("down", f"{prefix}-one").returncode == 0
    assert [host.name for host in Lab(prefix).hosts()] == [f"{prefix}-two"]
    assert [command_line("down", prefix).returncode for _ in range(2)] == [0, 0]
    assert leftovers(prefix) == []


@pytest.mark.parametrize("killed", ["supervisor", "nspawn", "both", "init"])
def test_down_cleans_a_crashed_run(lab: Lab, killed: str) -> None:
    prefix = f"{lab.prefix}-crash"
    (host,) = Lab(prefix).up(["one"])
    run = read_run(host.record.folder)
    assert run is not None
    assert run.nspawn is not None
    init = first_child(run.nspawn.pid)
    assert init is not None
    if killed in {"supervisor", "both"}:
        run.supervisor.send(signal.SIGKILL)
        wait_until(lambda: not run.supervisor.alive(), seconds=10, what="the supervisor's end")
    if killed in {"nspawn", "both"}:
        run.nspawn.send(signal.SIGKILL)
    if killed == "init":
        os.kill(init, signal.SIGKILL)
    wait_until(lambda: host.state() != "running", seconds=20, what="the lab to see it")
    assert leftovers(prefix) != []
    lock = nspawn_lock(host.record.folder)
    assert lock is not None
    Lab(prefix).down()
    assert leftovers(prefix) == []
    assert not lock.exists()


def test_up_makes_a_crashed_host_anew(lab: Lab) -> None:
    with Lab(f"{lab.prefix}-anew") as other:
        (host,) = other.up(["one"])
        host.run("touch /root/old")
        run = read_run(host.record.folder)
        assert run is not None
        assert run.nspawn is not None
        run.supervisor.send(signal.SIGKILL)
        run.nspawn.send(signal.SIGKILL)
        wait_until(lambda: host.state() == "crashed", seconds=20, what="the crash")
        (again,) = other.up(["one"])
        assert again.machine_id != host.machine_id
        assert again.run(["ls", "/root"]).stdout == ""
    assert leftovers(other.prefix) == []


def test_down_cleans_an_up_that_was_killed_half_way(lab: Lab) -> None:
    prefix = f"{lab.prefix}-half"
    words = [sys.executable, "-m", "lab", "up", "--name", prefix, "one"]
    with subprocess.Popen(
        words, env={**os.environ, "PYTHONPATH": str(MOLECULE)}, stderr=subprocess.DEVNULL
    ) as starting:
        folder = host_folder(prefix, f"{prefix}-one")
        wait_until(lambda: read_run(folder) is not None, seconds=60, what="the supervisor", every=0.001)
        starting.kill()
    Lab(prefix).down()
    assert leftovers(prefix) == []


def test_a_host_that_cannot_start_says_why(lab: Lab) -> None:
    with Lab(f"{lab.prefix}-bad") as other, pytest.raises(LabError, match="stopped while it was awaited"):
        other.up(["one"], options=HostOptions(state_size="no size"))
    assert leftovers(other.prefix) == []


@pytest.mark.timeout(900)
def test_the_same_inputs_bake_the_same_image_once(lab: Lab, tmp_path: Path) -> None:
    stores = [tmp_path / "shared", tmp_path / "shared", tmp_path / "alone"]
    try:
        with ThreadPoolExecutor(max_workers=3) as pool:
            baked = list(pool.map(lambda store: image.ensure(Progress(), store=store), stores))
        assert baked[1] == baked[0]
        assert replace(baked[2], folder=baked[0].folder) == baked[0]
        assert {path.name for path in stores[0].iterdir()} == {baked[0].digest, "by-inputs"}
    finally:
        for store in set(stores):
            remove_tree(store)
