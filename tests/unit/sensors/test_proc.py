"""What /proc says of a process's cgroup."""

import pytest

from hostseal.sensors.proc import cgroup_in


@pytest.mark.parametrize(
    ("text", "cgroup"),
    [
        ("0::/system.slice/x.service\n", "/system.slice/x.service"),
        ("0::/system.slice/x.service (deleted)\n", "/system.slice/x.service"),
        ("1:name=systemd:/a\n0::/b\n", "/b"),
        ("1:name=systemd:/a (deleted)\n2:cpu:/c\n", "/a"),
        ("2:cpu:/c\n", None),
        ("", None),
    ],
)
def test_a_process_that_ended_with_its_unit_is_of_that_unit(text: str, cgroup: str | None) -> None:
    assert cgroup_in(text) == cgroup
