"""Build, sign, serve, activate; refuse what is not right, and keep the last good one through all of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.record import wait_until
from hostseal.policy.archive import pack, unpack
from hostseal.policy.content import SIGNATURES
from integration.bundles.bundle_server import BundleServer
from integration.bundles.conftest import MONDAY, TUESDAY, Site
from integration.bundles.host_opa import HostOpa

ROOT = Path(__file__).parents[3]
EVENT = json.loads((ROOT / "tests/samples/events/channel_shell.json").read_bytes())
STANDING = {"state": "sealed", "incident": None}


@pytest.fixture
def host(site: Site, tmp_path: Path) -> HostOpa:
    """A host that trusts the site's key. Not started yet."""
    return HostOpa(tmp_path / "host", site.keys, site.server)


def activated(host: HostOpa, revision: str) -> None:
    wait_until(lambda: host.revision() == revision, seconds=30, what=f"{revision} is in force")


def asked_again(site: Site) -> None:
    """Wait until the host has asked twice more: what it was given the first time, it has dealt with."""
    before = len(site.server.asked)
    wait_until(lambda: len(site.server.asked) >= before + 2, seconds=30, what="the host asks again")


def test_a_bundle_is_built_signed_served_and_stands_in_each_decision(site: Site, host: HostOpa) -> None:
    first = site.build(MONDAY)["revision"]
    with host:
        host.wait_for(200)
        answer = host.decide(EVENT, STANDING)
        entry = host.decision_log(answer["decision_id"])
        assert entry["bundles"]["hostseal"]["revision"] == first
        assert answer["result"]["would"] == ["flag"]
        second = site.build(TUESDAY, groups={"web": {"mode": "flag"}}, hosts={"web-1": {"groups": ["web"]}})
        activated(host, second["revision"])
        answer = host.decide(EVENT, STANDING)
        assert (
            host.decision_log(answer["decision_id"])["bundles"]["hostseal"]["revision"] == second["revision"]
        )
        asked_again(site)
    assert {status for _, status in site.server.asked} == {200, 304}


def test_a_host_without_the_token_gets_no_bundle(site: Site, host: HostOpa) -> None:
    site.build(MONDAY)
    (host.folder / "bundle-token").write_text("another")
    with host:
        host.wait_for_log("server replied with Unauthorized")
        host.wait_for(500)
    assert {status for _, status in site.server.asked} == {401}


def test_a_server_of_another_authority_is_not_believed(site: Site, host: HostOpa) -> None:
    site.build(MONDAY)
    (host.folder / "bundle-ca.pem").write_bytes((host.folder / "server.pem").read_bytes())
    with host:
        host.wait_for_log("certificate signed by unknown authority")
        host.wait_for(500)
    assert site.server.asked == []


def changed(good: Path, _: Site) -> bytes:
    """One byte of a rule is another one, and the archive is whole."""
    files = unpack(good)
    name = "hostseal/event/decision.rego"
    files[name] = files[name].replace(b"allowed", b"allowee", 1)
    return pack(files)


def data_changed(good: Path, _: Site) -> bytes:
    """The data says something else."""
    files = unpack(good)
    data = json.loads(files["data.json"])
    data["hostseal"]["site"]["deadline_seconds"] += 1
    return pack({**files, "data.json": json.dumps(data).encode()})


def renamed(good: Path, _: Site) -> bytes:
    """It claims another revision."""
    files = unpack(good)
    manifest = {
        **json.loads(files[".manifest"]),
        "revision": "20991231T235959Z-000000000000-0000000000000000",
    }
    return pack({**files, ".manifest": json.dumps(manifest).encode()})


def added_to(good: Path, _: Site) -> bytes:
    """There is one rule more than was signed."""
    return pack({**unpack(good), "hostseal/more.rego": b"package hostseal.more\n\nmore := true\n"})


def unsigned(good: Path, _: Site) -> bytes:
    """The signature is taken out."""
    return pack({name: body for name, body in unpack(good).items() if name != SIGNATURES})


def of_another_key(_: Path, site: Site) -> bytes:
    """It is whole, and a stranger signed it."""
    stranger = site.key("stranger")
    site.build(TUESDAY, keys=(stranger,))
    assert site.served(stranger) != site.served()
    return site.served(stranger).read_bytes()


def flipped(good: Path, _: Site) -> bytes:
    """One bit on the way is another one."""
    content = bytearray(good.read_bytes())
    content[len(content) // 2] ^= 1
    return bytes(content)


def cut_off(good: Path, _: Site) -> bytes:
    """Half of it came."""
    return good.read_bytes()[: good.stat().st_size // 2]


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, HostOpa, str]]:
    """A host that has a good bundle, and its revision."""
    folder = tmp_path_factory.mktemp("steady")
    with BundleServer(folder / "server") as server:
        site = Site(folder, server)
        good = site.build(MONDAY)["revision"]
        with HostOpa(folder / "host", site.keys, server) as host:
            activated_first(host, good)
            yield site, host, good


@pytest.mark.parametrize(
    "tamper", [changed, data_changed, renamed, added_to, unsigned, of_another_key, flipped, cut_off]
)
def test_what_the_operator_did_not_sign_is_refused_and_the_last_good_one_stays(
    steady: tuple[Site, HostOpa, str], tamper: Callable[[Path, Site], bytes]
) -> None:
    site, host, good = steady
    content = site.served().read_bytes()
    before = host.log.read_text().count("Bundle load failed")
    tampered = tamper(site.served(), site)
    site.served().write_bytes(tampered)
    try:
        wait_until(
            lambda: host.log.read_text().count("Bundle load failed") > before,
            seconds=30,
            what="the host refuses it",
        )
        assert host.revision() == good
        assert host.persisted.read_bytes() == content
    finally:
        site.served().write_bytes(content)


@pytest.mark.parametrize("tamper", [changed, unsigned, of_another_key, cut_off])
def test_a_host_that_has_none_yet_takes_no_bad_one(
    site: Site, host: HostOpa, tamper: Callable[[Path, Site], bytes]
) -> None:
    site.build(MONDAY)
    site.served().write_bytes(tamper(site.out, site))
    with host:
        host.wait_for_log("Bundle load failed")
        asked_again(site)
        host.wait_for(500)
        status, answer = host.ask("/v1/data/hostseal/event/decision", {"input": {}})
        assert (status, answer["message"]) == (500, "authorization policy missing or undefined")


def activated_first(host: HostOpa, revision: str) -> None:
    host.wait_for(200)
    activated(host, revision)
