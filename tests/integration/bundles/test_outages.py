"""The server is gone, OPA starts again, the disk is full, what was kept is damaged: the last good bundle, or no answer."""

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from hostseal.policy.archive import pack, unpack
from integration.bundles.conftest import MONDAY, TUESDAY, Site
from integration.bundles.host_opa import HostOpa
from integration.bundles.test_round_trip import EVENT, STANDING, activated, activated_first, asked_again, host

__all__ = ["host"]


def test_the_last_good_bundle_outlives_the_server_and_a_restart(site: Site, host: HostOpa) -> None:
    first = site.build(MONDAY)["revision"]
    with host:
        activated_first(host, first)
        site.server.stop()
        host.wait_for_log("connection refused")
        assert host.decide(EVENT, STANDING)["result"]["would"] == ["flag"]
        assert host.revision() == first
    with host:
        activated_first(host, first)
        assert host.decide(EVENT, STANDING)["result"]["would"] == ["flag"]
        second = site.build(TUESDAY)["revision"]
        site.server.start()
        activated(host, second)


def test_without_server_and_without_a_kept_bundle_there_is_no_answer(site: Site, host: HostOpa) -> None:
    site.server.stop()
    with host:
        host.wait_for_log("connection refused")
        host.wait_for(500)
        first = site.build(MONDAY)["revision"]
        site.server.start()
        activated_first(host, first)


def emptied(_: bytes) -> bytes:
    return b""


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("damage", [emptied, half])
def test_a_kept_bundle_that_is_damaged_is_not_believed_and_is_fetched_anew(
    site: Site, host: HostOpa, damage: Callable[[bytes], bytes]
) -> None:
    first = site.build(MONDAY)["revision"]
    with host:
        activated_first(host, first)
    host.persisted.write_bytes(damage(host.persisted.read_bytes()))
    site.server.stop()
    with host:
        host.wait_for_log("Failed to load bundle from disk")
        host.wait_for(500)
        site.server.start()
        activated_first(host, first)
    assert host.persisted.read_bytes() == site.out.read_bytes()


def test_a_kept_bundle_that_somebody_rewrote_is_not_believed(site: Site, host: HostOpa) -> None:
    first = site.build(MONDAY)["revision"]
    with host:
        activated_first(host, first)
    files = unpack(host.persisted)
    name = "hostseal/event/decision.rego"
    host.persisted.write_bytes(pack({**files, name: files[name].replace(b"allowed", b"allowee", 1)}))
    site.server.stop()
    with host:
        host.wait_for_log("digest mismatch")
        host.wait_for(500)


def test_on_a_full_disk_a_new_bundle_is_in_force_and_the_kept_one_stays_whole(
    site: Site, host: HostOpa, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = site.build(MONDAY)["revision"]
    with host:
        activated_first(host, first)
    kept = host.persisted.read_bytes()
    limit_files(monkeypatch, len(kept) // 2)
    second = site.build(TUESDAY)["revision"]
    with host:
        activated_first(host, second)
        host.wait_for_log("Failed to save new bundle to disk")
        assert host.persisted.read_bytes() == kept
        asked_again(site)
        assert host.revision() == second


def test_on_a_full_disk_the_first_bundle_is_in_force_too(
    site: Site, host: HostOpa, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = site.build(MONDAY)["revision"]
    limit_files(monkeypatch, 4096)
    with host:
        host.wait_for_log("Persisting bundle to disk failed")
        activated(host, first)
        host.wait_for(500)
        assert host.decide(EVENT, STANDING)["result"]["would"] == ["flag"]


def limit_files(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Let no file that OPA writes become longer: to it, the disk is full."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    opened = HostOpa.__enter__

    def limited(self: HostOpa) -> HostOpa:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            return opened(self)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    monkeypatch.setattr(HostOpa, "__enter__", limited)


def test_an_older_bundle_is_not_served_by_mistake(site: Site, host: HostOpa) -> None:
    site.build(TUESDAY)
    done = site.tried(
        "build", "--policies", Path(__file__).parents[3] / "policies", "--site", site.folder / "site.json",
        "--issued", MONDAY, *site.signing(), "--serve", site.server.www, "--out", site.out,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"what is served was issued {TUESDAY}, and this bundle is of {MONDAY}" in done.stderr
    assert "--issued now" in done.stderr
    meant = site.build("now")["revision"]
    with host:
        activated_first(host, meant)
