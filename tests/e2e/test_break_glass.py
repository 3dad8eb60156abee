"""Break-glass on real hosts: a certificate lets its person in on its host in its time; every other one is refused and is an event."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from e2e import record
from e2e.conftest import Fleet
from e2e.test_how_to import commands, on_host
from lab import Host, keys
from lab.ssh import Completed, finish, options
from lab_site import Site, install

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PROGRAM = Path(sys.executable).with_name("hostseal")
KRL = "/etc/ssh/hostseal_revoked"
TRUST = ["opa", "ssh_lockdown"]


@dataclass(frozen=True)
class Glass:
    """The fleet's hosts with an authority they trust, and one they do not."""

    fleet: Fleet
    site: Site
    folder: Path

    @property
    def host(self) -> Host:
        """The host that certificates are made for."""
        return self.fleet.flagging

    def hostseal(self, *words: object) -> "subprocess.CompletedProcess[str]":
        """Run a command of the operator's."""
        argv = [PROGRAM, "break-glass", *map(str, words), "--record", str(self.folder / "record")]
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)

    def grant(self, name: str, *more: object, host: Host | None = None) -> dict[str, Any]:
        """Return what the record says of a certificate for alice; its key is `self.folder / name`."""
        target = host or self.host
        done = self.hostseal(
            "grant", "--user", "alice", "--host", target.name, "--instance", record.status(target)["instance"],
            "--ticket", "INC-1", "--reason", "the disk is full", "--person", "carol", "--out", self.folder / name,
            "--authority", self.folder / "authority", "--site", self.folder / "site.json", "--json", *more,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        issued: dict[str, Any] = json.loads(done.stdout)
        return issued

    def by_hand(self, name: str, window: str, *, authority: str = "authority", principal: str = "") -> None:
        """Make a certificate past the command line, as somebody with an authority's key could."""
        keygen(self.folder, name)
        words = ["-s", authority, "-I", f"by hand: {name}", "-z", "7", "-V", window]
        words += ["-n", principal or f"alice@{record.status(self.host)['instance']}", f"{name}.pub"]
        subprocess.run(["ssh-keygen", "-q", *words], cwd=self.folder, check=True, timeout=30)

    def ssh(
        self, name: str, *command: str, host: Host | None = None, user: str = "alice", key: str = ""
    ) -> Completed:
        """Log in with the certificate `name`, and with its key if it is not another's."""
        target = host or self.host
        argv = ["ssh", "-F", "none", *options(target.known_hosts), "-o", "BatchMode=yes"]
        argv += [
            "-i",
            str(self.folder / (key or name)),
            "-o",
            f"CertificateFile={self.folder / name}-cert.pub",
        ]
        return finish([*argv, f"{user}@{target.address}", *(command or ("id -un",))], given=None, timeout=60)

    def refused(self, name: str, why: str, **login: Any) -> dict[str, Any]:
        """Try to log in, and return the event that says why it was refused."""
        host = login.get("host") or self.host
        before = record.last_seq(host)
        done = self.ssh(name, **login)
        assert (done.returncode, done.stdout) == (255, "")
        found = record.wait_for(host, before, "certificate.refused", lambda data: data["why"] == why)
        assert not [one for one in record.events(host, before) if one["event"]["type"] == "session.opened"]
        return found


def keygen(folder: Path, name: str) -> None:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name]
    subprocess.run(argv, cwd=folder, check=True, timeout=30)


@pytest.fixture(scope="module")
def glass(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Glass]:
    folder = tmp_path_factory.mktemp("glass")
    for name in ("authority", "stranger"):
        keygen(folder, name)
    data = {"break_glass": {"authorities": [fingerprint(folder / "authority.pub")]}}
    (folder / "site.json").write_text(json.dumps(data))
    site = replace(
        fleet.site,
        data={**fleet.site.data, **data},
        variables={"hostseal_break_glass_authorities": [str(folder / "authority.pub")]},
    )
    install(site, fleet.hosts, only=TRUST)
    yield Glass(fleet, site, folder)
    install(fleet.site, fleet.hosts, only=TRUST)
    left = "ls -d /etc/ssh/hostseal_* /etc/ssh/sshd_config.d/20-hostseal-* /opt/hostseal/libexec/principals 2>/dev/null"
    assert fleet.flagging.peek(left, check=False).stdout.split() in ([], ["/etc/ssh/hostseal_banner"])
    assert fleet.flagging.ssh("deploy", "true").returncode == 0


def test_a_granted_certificate_lets_its_person_in_on_its_host(glass: Glass) -> None:
    issued = glass.grant("good")
    before = record.last_seq(glass.host)
    done = glass.ssh("good")
    assert (done.returncode, done.stdout) == (0, "alice\n")
    opened = record.wait_for(glass.host, before, "session.opened")["event"]["data"]
    certificate = opened["key"]["certificate"]
    assert opened["key"]["fingerprint"] == issued["fingerprint"]
    assert (certificate["serial"], certificate["principals"]) == (
        issued["serial"],
        [f"alice@{record.status(glass.host)['instance']}"],
    )
    assert certificate["extensions"]["ticket@hostseal"] == "INC-1"
    assert certificate["extensions"]["reason@hostseal"] == "the disk is full"
    assert certificate["valid_after"] < certificate["valid_before"]
    assert glass.site.data["break_glass"]["authorities"] == [certificate["ca_fingerprint"]]


def test_it_is_refused_on_another_host_and_for_another_account(glass: Glass) -> None:
    issued = glass.grant("elsewhere")
    found = glass.refused("elsewhere", "foreign", host=glass.fleet.observing)
    assert found["event"]["data"] == {
        "user": "alice",
        "source": found["event"]["data"]["source"],
        "why": "foreign",
        "key_id": f"INC-1 by carol for alice on {glass.host.name}: the disk is full",
        "serial": issued["serial"],
        "fingerprint": issued["fingerprint"],
        "ca_fingerprint": glass.site.data["break_glass"]["authorities"][0],
        "unreported": 0,
    }
    assert [finding["rule"] for finding in found["decision"]["findings"]] == ["certificate_misused"]
    assert glass.refused("elsewhere", "foreign", user="bob")["event"]["data"]["user"] == "bob"


@pytest.mark.parametrize(("window", "why"), [("-35m:-5m", "expired"), ("+5m:+35m", "not_yet_valid")])
def test_five_minutes_beside_its_time_it_is_refused(glass: Glass, window: str, why: str) -> None:
    glass.by_hand(why, window)
    found = glass.refused(why, why)
    assert [finding["severity"] for finding in found["decision"]["findings"]] == ["medium"]


def test_one_by_an_authority_that_the_host_does_not_know_is_refused(glass: Glass) -> None:
    glass.by_hand("unknown", "-1m:+30m", authority="stranger")
    assert glass.refused("unknown", "unknown_authority")["event"]["data"]["key_id"] == "by hand: unknown"


def test_a_sites_own_certificate_without_the_instance_is_refused(glass: Glass) -> None:
    glass.by_hand("anywhere", "-1m:+30m", principal="alice")
    glass.refused("anywhere", "foreign")


def test_a_stolen_certificate_without_its_key_is_refused(glass: Glass) -> None:
    issued = glass.grant("stolen")
    keygen(glass.folder, "thief")
    found = glass.refused("stolen", "unproven", key="thief")
    assert found["event"]["data"]["serial"] == issued["serial"]
    assert [finding["severity"] for finding in found["decision"]["findings"]] == ["high"]


def test_it_may_be_bound_to_an_address(glass: Glass) -> None:
    glass.grant("bound", "--from", "192.0.2.0/24")
    glass.refused("bound", "wrong_source")


def test_an_account_that_does_not_exist_gets_no_answer_and_sshd_names_no_certificate(glass: Glass) -> None:
    glass.grant("nobody")
    before = record.last_seq(glass.host)
    assert glass.ssh("nobody", user="nobodyhere").returncode == 255
    assert glass.ssh("nobody").returncode == 0  # of what comes later, the record has this
    record.wait_for(glass.host, before, "session.opened")
    kinds = {one["event"]["type"] for one in record.events(glass.host, before)}
    assert "certificate.refused" not in kinds


def test_a_drill_can_only_show_that_it_works(glass: Glass) -> None:
    glass.grant("drill", "--drill")
    done = glass.ssh("drill", "touch /tmp/drilled; id")
    assert (done.returncode, done.stdout) == (0, "hostseal: break-glass works on this host\n")
    assert glass.host.peek(["ls", "/tmp/drilled"], check=False).returncode != 0
    forwarding = glass.ssh("drill", "-W", "127.0.0.1:22")
    assert "hostseal" in forwarding.stdout or forwarding.returncode != 0


def test_what_was_offered_is_where_the_gate_looks_and_nobody_else_can(glass: Glass) -> None:
    glass.by_hand("offered", "-35m:-5m")
    glass.refused("offered", "expired")
    said = glass.host.peek(
        "stat -c '%U %a' /run/hostseal-offered; cd /run/hostseal-offered; stat -c '%U %a' *; cat *"
    )
    lines = said.stdout.splitlines()
    assert lines[0] == "hostseal-principals 700"
    assert "hostseal-principals 600" in lines
    words = (glass.folder / "offered-cert.pub").read_text().split()
    assert f"publickey {words[0]} {words[1]}" in lines
    assert glass.host.ssh("alice", "ls /run/hostseal-offered").returncode != 0
    glass.host.peek("touch -d '10 minutes ago' /run/hostseal-offered/1")
    assert glass.ssh("offered").returncode == 255
    assert glass.host.peek(["ls", "/run/hostseal-offered/1"], check=False).returncode != 0


@pytest.mark.parametrize("user", ["", "-n", "a b", "a@b", "a\nb", 'x="y"', "$(id)", "ä"])
def test_a_name_that_is_no_plain_word_has_no_principal(glass: Glass, user: str) -> None:
    said = glass.host.peek(["/opt/hostseal/libexec/principals", user, "type", "AAAA"], check=False)
    assert (said.returncode, said.stdout) == (1, "")


def test_one_that_was_taken_back_is_refused_where_the_list_is(glass: Glass) -> None:
    issued, other = glass.grant("revoked"), glass.grant("kept")
    assert glass.ssh("revoked").returncode == 0
    done = glass.hostseal("revoke", issued["grant"]["id"])
    assert done.returncode == 0, done.stderr
    krl = {"hostseal_break_glass_krl": str(glass.folder / "record/revoked.krl")}
    site = replace(glass.site, variables={**glass.site.variables, **krl})
    would = install(site, [glass.host], check=True, only=["ssh_lockdown"])
    assert "Install the list of what was taken back" in would
    assert glass.ssh("revoked").returncode == 0  # a check has changed nothing
    install(site, [glass.host], only=["ssh_lockdown"])
    found = glass.refused("revoked", "revoked")
    assert found["event"]["data"]["serial"] == issued["serial"]
    assert [finding["severity"] for finding in found["decision"]["findings"]] == ["high"]
    assert glass.ssh("kept").returncode == 0
    again = install(site, [glass.host], only=["ssh_lockdown"])
    assert f"{glass.host.name}" in again
    assert " changed=0 " in again
    states = {row["serial"]: row["state"] for row in json.loads(glass.hostseal("list", "--json").stdout)}
    assert (states[issued["serial"]], states[other["serial"]]) == ("revoked", "holds")


def test_the_how_to_page(glass: Glass, tmp_path: Path) -> None:
    """Each of its commands; the passphrase is none here, and ssh reaches the lab by its own settings."""
    names = {"web-1": glass.host.name, "INSTANCE": record.status(glass.host)["instance"]}
    make_key, drill, use_drill, look, grant, login, extend, listing, revoke = commands(
        "break-glass.md", names
    )
    (tmp_path / "keys").mkdir()
    run(make_key.replace("ssh-keygen", "ssh-keygen -q -N ''"), tmp_path)
    both = [glass.folder / "authority.pub", tmp_path / "keys/break-glass.pub"]
    data = {"break_glass": {"authorities": [fingerprint(path) for path in both]}}
    (tmp_path / "site.json").write_text(json.dumps(data))
    trusted = {"hostseal_break_glass_authorities": [str(path) for path in both]}
    variables = {**glass.site.variables, **trusted}
    install(
        replace(glass.site, data={**glass.site.data, **data}, variables=variables), [glass.host], only=TRUST
    )
    run(drill, tmp_path)
    through = f"ssh -F {keys.ssh_config(glass.host.record.lab)} -o BatchMode=yes"
    assert run(use_drill.replace("ssh", through, 1), tmp_path) == "hostseal: break-glass works on this host\n"
    assert names["INSTANCE"] in on_host(glass.host, look).stdout
    identity = run(grant, tmp_path).split()[1].rstrip(",")
    before = record.last_seq(glass.host)
    assert run(f"{login.replace('ssh', through, 1)} id -un", tmp_path) == "alice\n"
    opened = record.wait_for(glass.host, before, "session.opened")["event"]["data"]
    assert opened["key"]["certificate"]["extensions"]["grant@hostseal"] == identity
    run(extend.replace("GRANT", identity), tmp_path)
    assert run(f"{login.replace('ssh', through, 1)} id -un", tmp_path) == "alice\n"
    assert run(listing, tmp_path).count(f"{identity}  holds") == 2
    assert run(revoke.replace("GRANT", identity), tmp_path).count("is in ") == 2
    assert run(listing, tmp_path).count(f"{identity}  revoked") == 2


def fingerprint(public: Path) -> str:
    argv = ["ssh-keygen", "-lf", str(public)]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout.split()[1]


def run(command: str, folder: Path) -> str:
    """Run a command of the page as an operator; return what it printed."""
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", command], cwd=folder, env={**os.environ, "PATH": path, "XDG_STATE_HOME": str(folder / "state")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_the_list_sshd_takes_no_key_at_all_and_says_so(glass: Glass) -> None:
    """Why the role puts the list there first, and why `doctor` looks for it."""
    glass.grant("unlisted")
    glass.host.peek(["mv", KRL, f"{KRL}.away"])
    try:
        assert glass.host.ssh("deploy", "true").returncode == 255
        glass.refused("unlisted", "unchecked")
        said = glass.host.peek([record.HOSTSEAL, "doctor", "--json"], check=False)
        [looked] = [one for one in json.loads(said.stdout) if one["check"] == "revoked keys"]
        assert (said.returncode, looked["ok"]) == (1, False)
        glass.host.peek(f"printf rubbish > {KRL}")
        assert glass.host.ssh("deploy", "true").returncode == 255
    finally:
        glass.host.peek(["mv", f"{KRL}.away", KRL])
    assert glass.host.ssh("deploy", "true").returncode == 0
    assert glass.ssh("unlisted").returncode == 0
