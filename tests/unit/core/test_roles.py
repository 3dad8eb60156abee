"""A role by the executable and the unit together, never by a name."""

import pytest

from hostseal.core.roles import NONE, Given, Process, Role, role_of
from hostseal.core.units import unit_of

DPKG = Process(pid=9, exe="/usr/bin/dpkg", uid=0, genuine=True)
APT = Process(pid=8, exe="/usr/bin/apt-get", uid=0, genuine=True)
SH = Process(pid=7, exe="/usr/bin/dash", uid=0)
PYTHON = Process(pid=6, exe="/usr/bin/python3.11", uid=0)
NGINX = Process(pid=5, exe="/usr/sbin/nginx", uid=0)
UPGRADE = "/system.slice/apt-daily-upgrade.service"
OWN = "/system.slice/our-upgrades.service"
PACKAGES = Given(Role.PACKAGE_MANAGER)


def role(*line: Process, cgroup: str = OWN, proves: bool = True, action: bool = False) -> Given:
    return role_of(line, unit_of(cgroup), proves=proves, action=action)


def program(exe: str, **known: object) -> Process:
    return Process(**{"pid": 10, "exe": exe, "uid": 0, "genuine": True, **known})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param((DPKG, APT), id="dpkg below apt"),
        pytest.param((DPKG, APT, SH), id="a script that runs apt"),
        pytest.param((SH, DPKG, APT), id="a maintainer's script"),
        pytest.param((program("/usr/sbin/ldconfig"), SH, DPKG, APT, PYTHON), id="its child"),
        pytest.param((APT,), id="apt"),
        pytest.param((SH, program("/usr/bin/dpkg.dpkg-tmp (deleted)", genuine=False), APT), id="as dpkg is upgraded"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cgroup", [OWN, UPGRADE])
def test_a_package_manager_that_a_unit_runs(line: tuple[Process, ...], cgroup: str) -> None:
    assert role(*line, cgroup=cgroup) == PACKAGES


@pytest.mark.parametrize(
    ("line", "cgroup"),
    [
        pytest.param((program("/tmp/dpkg", genuine=False),), UPGRADE, id="a file of that name"),
        pytest.param((program("/usr/local/bin/dpkg"), SH), OWN, id="in another folder"),
        pytest.param((program("/usr/bin/dpkg", genuine=False),), OWN, id="another file at that path"),
        pytest.param((DPKG,), "/user.slice/user-1000.slice/session-3.scope", id="in a session"),
        pytest.param((DPKG,), "/user.slice/user-1000.slice/user@1000.service/app.slice/apt-daily.service", id="a user's unit"),
        pytest.param((program("/usr/bin/dpkg", uid=1000),), OWN, id="not as root"),
        pytest.param((program("/usr/bin/passwd"), program("/usr/bin/dpkg-deb", uid=1000)), OWN, id="set-user-id below a user's"),
        pytest.param((DPKG, NGINX), OWN, id="a web server that runs dpkg"),
        pytest.param((SH, DPKG, APT, NGINX), OWN, id="a web server above a maintainer's script"),
        pytest.param((SH,), OWN, id="a shell in a unit of its own"),
        pytest.param((NGINX,), OWN, id="another program"),
        pytest.param((), UPGRADE, id="nothing known"),
    ],
)  # fmt: skip
def test_no_other_is_one(line: tuple[Process, ...], cgroup: str) -> None:
    assert role(*line, cgroup=cgroup) == NONE


def test_a_unit_that_is_on_no_disk_or_below_a_login_proves_nothing() -> None:
    assert role(DPKG, APT, proves=False) == NONE
    assert role(DPKG, cgroup=UPGRADE, proves=False) == NONE


def test_what_only_the_unit_says_is_not_sure() -> None:
    assert role(PYTHON, cgroup=UPGRADE) == PACKAGES
    orphan = program("/usr/sbin/ldconfig", genuine=False)
    assert role(orphan, cgroup=UPGRADE) == Given(Role.PACKAGE_MANAGER, sure=False)


@pytest.mark.parametrize(
    ("exe", "cgroup"),
    [
        ("/usr/lib/systemd/systemd", "/init.scope"),
        ("/lib/systemd/systemd-networkd", "/system.slice/systemd-networkd.service"),
        ("/usr/bin/systemd-tmpfiles", "/system.slice/systemd-tmpfiles-setup.service"),
        ("/usr/bin/systemd-machine-id-setup", "/system.slice/systemd-machine-id-commit.service"),
        ("/usr/lib/systemd/systemd-random-seed", "/system.slice/systemd-random-seed.service"),
        ("/usr/lib/systemd/systemd", "/system.slice/nginx.service"),
    ],
)
def test_systemd_by_its_folder_and_its_units(exe: str, cgroup: str) -> None:
    assert role(program(exe), cgroup=cgroup) == Given(Role.SYSTEMD)


@pytest.mark.parametrize(
    ("exe", "cgroup"),
    [
        ("/usr/bin/bash", "/system.slice/systemd-tmpfiles-setup.service"),
        ("/usr/bin/systemd-tmpfiles", "/system.slice/nginx.service"),
        ("/usr/bin/systemd-tmpfiles", "/user.slice/user-1000.slice/session-3.scope"),
        ("/usr/lib/systemd/systemd", "/user.slice/user-1000.slice/user@1000.service/init.scope"),
        ("/home/alice/systemd", "/init.scope"),
    ],
)
def test_nothing_else_is_systemd(exe: str, cgroup: str) -> None:
    assert role(program(exe), cgroup=cgroup) == NONE


def test_a_service_that_runs_systemds_program_below_its_own_is_not_systemd() -> None:
    assert role(program("/usr/lib/systemd/systemd"), NGINX, cgroup="/system.slice/nginx.service") == NONE


def test_cloud_init_and_the_agents_own_playbooks() -> None:
    assert role(PYTHON, cgroup="/system.slice/cloud-final.service") == Given(Role.CLOUD_INIT)
    assert role(SH, PYTHON, cgroup="/system.slice/cloud-init.service") == Given(Role.CLOUD_INIT)
    assert role(program("/tmp/python3"), cgroup="/system.slice/cloud-init.service") == NONE
    assert role(PYTHON, cgroup="/system.slice/hostseal-action@1.service", action=True) == Given(Role.HOSTSEAL)
    assert role(program("/tmp/x"), cgroup="/system.slice/hostseal-action@1.service", action=True) == NONE
