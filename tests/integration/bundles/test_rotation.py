"""A new signing key reaches the hosts one after the other; each finds its bundle all along, and trusts one key alone."""

import json
from pathlib import Path

from hostseal.policy.archive import pack, unpack
from hostseal.policy.content import SIGNATURES
from integration.bundles.conftest import MONDAY, TUESDAY, WEDNESDAY, Site
from integration.bundles.host_opa import HostOpa
from integration.bundles.test_round_trip import activated, activated_first, asked_again


def test_a_key_is_rotated_and_the_former_one_holds_no_more(site: Site, tmp_path: Path) -> None:
    former, new = site.keys, site.key("new")
    first = site.build(MONDAY)["revision"]
    early, late = (HostOpa(tmp_path / name, former, site.server) for name in ("early", "late"))
    with early, late:
        for host in (early, late):
            activated_first(host, first)
        # From now on both keys sign; both bundles are of one revision.
        printed = site.build(TUESDAY, keys=(new, former))
        second = printed["revision"]
        assert sorted(printed["served"]) == sorted(str(site.served(key)) for key in (former, new))
        activated(late, second)
        activated(early, second)
    # The role reaches the first host.
    early.configure(new)
    with early, late:
        for host in (early, late):
            activated_first(host, second)
        third = site.build(WEDNESDAY, keys=(new, former))["revision"]
        for host in (early, late):
            activated(host, third)
    late.configure(new)
    with early, late:
        for host in (early, late):
            activated_first(host, third)
        # The former key is taken out of use; whoever has it signs for nobody.
        site.served(former).unlink()
        site.build("2026-11-26T08:00:00Z", keys=(former,))
        site.served(new).write_bytes(site.served(former).read_bytes())
        for host in (early, late):
            host.wait_for_log("failed to verify JWT signature")
            asked_again(site)
            assert host.revision() == third
        fourth = site.build("2026-11-27T08:00:00Z", keys=(new,))["revision"]
        for host in (early, late):
            activated(host, fourth)


def test_a_host_whose_key_is_new_does_not_believe_what_it_kept_by_the_former(
    site: Site, tmp_path: Path
) -> None:
    new = site.key("new")
    first = site.build(MONDAY, keys=(site.keys, new))["revision"]
    host = HostOpa(tmp_path / "host", site.keys, site.server)
    with host:
        activated_first(host, first)
    host.configure(new)
    site.server.stop()
    with host:
        host.wait_for_log("failed to verify JWT signature")
        host.wait_for(500)
        site.server.start()
        activated_first(host, first)


def test_why_hosts_name_the_one_key_they_trust(site: Site, tmp_path: Path) -> None:
    """OPA 1.20 that is to find the key by the signature's `kid` finds it, and takes a bundle without a signature too."""
    new = site.key("new")
    first = site.build(MONDAY, keys=(site.keys, new))["revision"]
    host = HostOpa(tmp_path / "host", site.keys, site.server)
    settings = host.folder / "opa.yaml"
    served = site.served()
    assert settings.read_text().count("keyid: hostseal") == 1
    key = served.parent.name
    settings.write_text(
        settings.read_text().replace("keyid: hostseal", "").replace("keys:\n  hostseal:", f"keys:\n  {key}:")
    )
    with host:
        activated_first(host, first)
        served.write_bytes(site.served(new).read_bytes())
        host.wait_for_log(f"verification key corresponding to ID {site.served(new).parent.name} not found")
        files = unpack(site.out)
        del files[SIGNATURES]
        files[".manifest"] = json.dumps(
            {**json.loads(files[".manifest"]), "revision": "nobody signed this"}
        ).encode()
        served.write_bytes(pack(files))
        activated(host, "nobody signed this")
