"""A new revision is watched, staged, promoted and rolled back, and what it would have done is counted meanwhile."""

import json
import subprocess
from pathlib import Path

from hostseal.policy import bundle as bundles
from hostseal.policy.content import Content
from hostseal.policy.release import STAGED
from hostseal.policy.signing import named
from hostseal.trial import opa_child
from integration.bundles.conftest import HOSTSEAL, MONDAY, TUESDAY, Site
from integration.bundles.host_opa import HostOpa
from integration.bundles.test_round_trip import EVENT, STANDING, activated, activated_first

FLAGGING = {"default": {"mode": "flag"}}


def content(site: Site, bundle: Path) -> Content:
    return bundles.read(opa_child.find(), bundle, [named(site.keys / "bundle.pub")])


def rollout(site: Site, bundle: Path) -> object:
    return content(site, bundle).data["hostseal"]["rollout"]


def test_a_revision_is_watched_staged_and_promoted_and_each_step_reaches_the_host(
    site: Site, tmp_path: Path
) -> None:
    watched = site.build(MONDAY, "--stage", "observe", **FLAGGING)["revision"]
    assert rollout(site, site.out) == {"state": "observe"}
    host = HostOpa(tmp_path / "host", site.keys, site.server)
    with host:
        activated_first(host, watched)
        promote = ("promote", site.out, *site.signing(), "--serve", site.server.www)
        staged = site.run(
            *promote, "--stage", "flag=10,refuse=5", "--issued", TUESDAY, "--out", tmp_path / "staged"
        )
        percents = {**dict.fromkeys(STAGED, 0), "flag": 10, "refuse": 5}
        assert rollout(site, tmp_path / "staged") == {"state": "staged", "stage_percent": percents}
        activated(host, staged["revision"])
        promoted = site.run(*promote, "--out", tmp_path / "promoted")
        assert rollout(site, tmp_path / "promoted") == {"state": "promoted"}
        activated(host, promoted["revision"])
        assert host.decide(EVENT, STANDING)["result"]["actions"] == ["flag"]
    assert watched < staged["revision"] < promoted["revision"]
    # What was watched is what was promoted.
    before, after = content(site, site.out), content(site, tmp_path / "promoted")
    assert after.modules == before.modules
    assert after.data["hostseal"]["site"] == before.data["hostseal"]["site"]


def test_what_was_held_back_is_counted_from_the_decision_log(site: Site, tmp_path: Path) -> None:
    observed = site.build(MONDAY, default={"mode": "observe"})["revision"]
    host = HostOpa(tmp_path / "host", site.keys, site.server)
    with host:
        activated_first(host, observed)
        for name in ("web-1", "web-1", "web-2"):
            answer = host.decide({**EVENT, "host": {**EVENT["host"], "name": name}}, STANDING)
            host.decision_log(answer["decision_id"])
        flagging = site.build(TUESDAY, **FLAGGING)["revision"]
        activated(host, flagging)
        host.decision_log(host.decide(EVENT, STANDING)["decision_id"])
    log = tmp_path / "decisions.jsonl"
    lines = [
        line
        for line in host.log.read_text().splitlines()
        if '"decision_id"' in line and '"event":{}' not in line
    ]
    log.write_text("\n".join([*lines, lines[0]]) + "\n")
    done = subprocess.run(
        [HOSTSEAL, "policy", "would", log, "--json"], capture_output=True, text=True, check=True
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"revision": observed, "decisions": 3, "hosts": 2, "would": {"flag": [3, 2]}, "did": {}},
        {"revision": flagging, "decisions": 1, "hosts": 1, "would": {}, "did": {"flag": [1, 1]}},
    ]
    told = subprocess.run(
        [HOSTSEAL, "policy", "would", log], capture_output=True, text=True, check=True
    ).stdout
    assert f"{observed}: 3 decision(s) about 2 host(s)\n  would flag" in told
    assert told.count("3 decision(s) on 2 host(s)") == 1


def test_only_what_one_of_the_keys_signed_is_promoted(site: Site) -> None:
    site.build(MONDAY)
    stranger = site.key("stranger")
    done = site.tried("promote", site.out, *site.signing((stranger,)), "--out", site.folder / "promoted")
    assert done.returncode == 1
    assert f"is not a bundle that the key {named(stranger / 'bundle.pub').id} signed" in done.stderr
    assert not (site.folder / "promoted").exists()
