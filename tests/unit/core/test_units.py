"""Which unit a cgroup is of: only what the system manager named counts."""

import pytest

from hostseal.core.units import Unit, same_or_template, unit_of


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("/init.scope", Unit("init.scope")),
        ("/system.slice/apt-daily-upgrade.service", Unit("apt-daily-upgrade.service")),
        (
            "/system.slice/system-hostseal\\x2daction.slice/hostseal-action@1.service/payload",
            Unit("hostseal-action@1.service"),
        ),
        ("/user.slice/user-1000.slice/session-3.scope", Unit("session-3.scope")),
        ("/user.slice/user-1000.slice/user@1000.service/init.scope", Unit("user@1000.service", 1000, "init.scope")),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/evil.service",
            Unit("user@1000.service", 1000, "evil.service"),
        ),
        ("/system.slice/cron.service/apt-daily.service", Unit("cron.service")),
        ("/system.slice/docker-0a1b.scope/system.slice/apt-daily.service", Unit("docker-0a1b.scope")),
        ("/machine.slice/machine-a.scope/payload/system.slice/apt-daily.service", Unit("machine-a.scope")),
        # systemd writes `_` before a name that would mean something to the kernel.
        ("/system.slice/_cpu.service", Unit("cpu.service")),
        (None, None),
        ("", None),
        ("/", None),
        ("/system.slice", None),
        ("/lxc/a/system.slice/apt-daily.service", None),
        ("/system.slice/payload/apt-daily.service", None),
    ],
)  # fmt: skip
def test_the_first_unit_on_the_way_down_counts(cgroup: str | None, unit: Unit | None) -> None:
    assert unit_of(cgroup) == unit


@pytest.mark.parametrize(
    "name", ["apt-daily-upgrade.service", "systemd-tmpfiles-setup.service", "cron.service", "init.scope"]
)
@pytest.mark.parametrize("below", ["", "/app.slice", "/app.slice/x.service", "/system.slice"])
def test_a_users_manager_cannot_pretend_to_be_a_unit_of_the_system(name: str, below: str) -> None:
    found = unit_of(f"/user.slice/user-2001.slice/user@2001.service{below}/{name}")
    assert found is not None
    assert (found.name, found.user, found.is_system_service) == ("user@2001.service", 2001, False)


@pytest.mark.parametrize(
    ("unit", "defined", "same"),
    [
        ("a.service", "a.service", True),
        ("a@1.service", "a@.service", True),
        ("a@1.service", "a@1.service", True),
        ("a@1.service", "b@.service", False),
        ("a@.service", "a@.service", True),
        ("a@1.socket", "a@.service", False),
        ("a.service", "a@.service", False),
        ("a.service", "", False),
    ],
)
def test_a_template_defines_its_instances(unit: str, defined: str, same: bool) -> None:
    assert same_or_template(unit, defined) is same
