"""A normal week on a sealed host raises no finding in the default configuration, and what then differs is explained."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e import person, record, weekly
from e2e.record import Record
from lab import Host
from lab_site import Site, install

pytest_plugins = ["e2e.lab_fixture"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

# While the agent starts anew, by itself or with the host, nobody looks: that is said, and so is the scan that made up for it.
OF_A_RESTART = {("sensor_lost", "medium"), ("sensor_rescanned", "low")}
CONFIG = "/etc/week.conf"


@dataclass
class Week:
    """The host, its site, and the record's number at which the week began."""

    host: Host
    site: Site
    began: int

    def during(self, do: Callable[[], object], since: int | None = None) -> list[Record]:
        """Return what is on record from now on, or since an earlier one, of something, once all of it is decided."""
        before = record.last_seq(self.host) if since is None else since
        do()
        record.wait_until(lambda: weekly.settled(self.host), what=f"{self.host.name} has recorded everything")
        return record.events(self.host, before)


@pytest.fixture(scope="module")
def week(host_factory: Callable[..., Host], tmp_path_factory: pytest.TempPathFactory) -> Week:
    """A host in mode `flag` with the roles' defaults, sealed after they were applied."""
    host = host_factory("week")
    site = Site(tmp_path_factory.mktemp("week"), default_mode="flag")
    weekly.furnish(host)
    install(site, [host])
    weekly.seal_it(host)
    record.wait_until(lambda: weekly.settled(host), what="the agent has nothing left to do")
    assert record.standing(host) == "sealed"
    return Week(host, site, record.last_seq(host))


def found(records: list[Record]) -> list[tuple[str, str, str]]:
    """Return rule, severity and sentence of every finding."""
    return [
        (one["rule"], one["severity"], one["message"]) for r in records for one in r["decision"]["findings"]
    ]


def rescanned(host: Host, after: int) -> bool:
    """Tell whether a scan has made up for a loss."""
    lost = [r["event"] for r in record.events(host, after) if r["event"]["type"] == "sensor.lost"]
    return any(event["data"]["rescanned"] for event in lost)


def paths(records: list[Record]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each changed path with its writer."""
    for r in records:
        if r["event"]["type"] == "files.changed":
            for path in r["event"]["data"]["paths"]:
                yield path, r["event"]["data"]["writer"]


def test_a_package_upgrade_by_automation(week: Week) -> None:
    seen = week.during(lambda: weekly.ansible(week.site, "ansible.builtin.apt", "deb=/srv/week/week_1.deb"))
    assert found(seen) == []
    by = {
        str((writer["session"] or {}).get("user")) for path, writer in paths(seen) if "week" in path["path"]
    }
    assert by == {"deploy"}
    assert weekly.seal(week.host)["state"] == "broken"


def test_a_package_upgrade_by_the_systems_own_timer(week: Week) -> None:
    seen = week.during(lambda: week.host.peek("systemctl start apt-daily-upgrade.service", timeout=120))
    assert week.host.peek("/usr/bin/week").stdout == "2\n"
    assert found(seen) == []
    by = {(writer["unit"], writer["role"]) for path, writer in paths(seen) if path["seal"] == "broken"}
    assert by == {("apt-daily-upgrade.service", "package_manager")}


def test_log_rotation(week: Week) -> None:
    seen = week.during(lambda: week.host.peek("systemctl start logrotate.service"))
    assert week.host.peek(f"ls {weekly.LOG}.1.gz").returncode == 0
    assert (found(seen), list(paths(seen))) == ([], [])


def test_every_timer_of_the_host(week: Week) -> None:
    services = weekly.timers(week.host)
    assert {"dpkg-db-backup.service", "logrotate.service", "systemd-tmpfiles-clean.service"} <= set(services)
    seen = week.during(lambda: week.host.peek(["systemctl", "start", *services], timeout=120))
    assert found(seen) == []


def test_name_servers_by_dhcp_are_a_hosts_own(week: Week) -> None:
    seen = week.during(lambda: week.host.peek("systemctl start ifup@53.service"))
    assert week.host.peek(f"cat {weekly.RESOLV}").stdout == "nameserver 192.0.2.53\n"
    assert found(seen) == []
    assert {path["seal"] for path, _ in paths(seen) if path["path"] == weekly.RESOLV} == {"own"}


def test_a_clock_that_is_set_changes_its_file_by_design(week: Week) -> None:
    seen = week.during(lambda: week.host.peek("systemctl start hwclock-save.service"))
    assert found(seen) == []
    (changed,) = [path for path, _ in paths(seen) if path["path"] == weekly.ADJTIME]
    assert (changed["seal"], changed["class"], changed["differs"]) == ("by_design", "clock", ["content"])


def test_a_command_of_automation(week: Week) -> None:
    before = record.last_seq(week.host)
    assert week.host.ssh("deploy", "sudo touch /run/week").returncode == 0
    record.wait_for(week.host, before, "session.channel")
    assert found(week.during(lambda: None, since=before)) == []


def test_a_token_that_is_rotated(week: Week) -> None:
    """As docs/reference/keys.md has it; OPA and the agent begin anew with it."""
    opa = "/etc/hostseal/opa"
    rotate = f"rm {opa}/token && /usr/local/libexec/hostseal/host-identity ensure {opa} --group opa"
    before = record.last_seq(week.host)
    done = week.host.ssh("deploy", f"sudo sh -ec '{rotate}; systemctl restart opa hostseal'")
    assert done.returncode == 0, done.stderr
    record.wait_until(
        lambda: rescanned(week.host, before), what="the interval without an agent is made up for"
    )
    seen = week.during(lambda: None, since=before)
    assert {(rule, severity) for rule, severity, _ in found(seen)} == OF_A_RESTART
    assert [r for r in seen if r["event"]["type"] == "seal.broken"] == []


def test_a_second_converge_of_the_roles(week: Week) -> None:
    output: list[str] = []
    seen = week.during(lambda: output.append(install(week.site, [week.host])))
    recap = [line for line in output[0].splitlines() if line.startswith(week.host.name) and "ok=" in line]
    assert "changed=0" in recap[-1], output[0][-3000:]
    assert (found(seen), list(paths(seen))) == ([], [])


def test_a_reboot_is_made_up_for_by_a_scan_that_finds_nothing_new(week: Week) -> None:
    before = record.last_seq(week.host)
    week.host.reboot()
    record.wait_until(
        lambda: rescanned(week.host, before), what="the interval without an agent is made up for"
    )
    seen = week.during(lambda: None, since=before)
    assert {(rule, severity) for rule, severity, _ in found(seen)} == OF_A_RESTART
    assert [r for r in seen if r["event"]["type"] == "seal.broken"] == []


def test_after_the_week_the_host_is_sealed_and_each_difference_has_its_record(week: Week) -> None:
    assert record.standing(week.host) == "sealed"
    records = record.events(week.host, week.began)
    assert {(rule, severity) for rule, severity, _ in found(records)} == OF_A_RESTART
    code, differences = weekly.verified(week.host)
    assert code == 8, "an upgraded host is not its image any more"
    assert {"/usr/bin/week", "/usr/lib/week/150", CONFIG, weekly.ADJTIME} <= set(differences)
    named = {path["path"] for path, _ in paths(records)}
    unexplained = [path for path in differences if not named & {path, *map(str, Path(path).parents)}]
    assert unexplained == [], (
        "by whom each difference came is on record, by its name or by that of a new directory"
    )


def test_the_host_still_sees_what_is_no_part_of_a_normal_week(week: Week) -> None:
    before = record.last_seq(week.host)
    with person.shell(week.host, "alice") as session:
        person.run(session, "sudo -i")
        person.run(session, f"echo changed >> {CONFIG}")
        changed = record.wait_for(
            week.host, before, "files.changed", lambda data: any(p["path"] == CONFIG for p in data["paths"])
        )
        session.sendline("exit")
        session.expect(person.PROMPT)
    assert [one["rule"] for one in changed["decision"]["findings"]] == ["sealed_file_changed"]
    assert record.standing(week.host) == "flagged"


def test_a_class_is_learnt_for_what_a_service_does_and_never_for_what_starts_again(week: Week) -> None:
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(week.host.peek, [record.HOSTSEAL, "doctor", "--learn", "15s", "--json"])
        record.wait_until(
            lambda: "--learn" in week.host.peek("ps -eo args").stdout, what="the watch has begun"
        )
        while not watching.done():
            week.host.peek("systemctl start week-printers.service")
        lesson = json.loads(watching.result().stdout)
    (learnt,) = [one for one in lesson["proposals"] if one["name"] == "week_printers"]
    assert (learnt["units"], learnt["programs"]) == (["week-printers.service"], ["/usr/bin/dash"])
    assert learnt["paths"] == ["/etc/week-printers/list"]
    refused = {one["path"]: one["why"] for one in lesson["refused"]}
    assert (
        refused["/etc/cron.d/week-printers"] == "what starts again, or lets somebody in, is never by design"
    )
