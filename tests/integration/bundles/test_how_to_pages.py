"""docs/how-to/roll-out-a-policy.md and rotate-the-bundle-key.md, followed to the letter, with real hosts' OPA at the other end."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from e2e.record import wait_until
from e2e.test_how_to import commands
from hostseal.policy.signing import generate_key_pair, named
from integration.bundles.bundle_server import BundleServer
from integration.bundles.host_opa import ROLE, HostOpa
from integration.bundles.test_round_trip import EVENT, STANDING, activated, activated_first
from integration.gate.test_how_to_page import run
from integration.ledger.server import LedgerServer

ROOT = Path(__file__).parents[3]
WWW = "www"


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """The folder that the pages' commands are run in: policies, site data, keys."""
    folder = tmp_path / "office"
    (folder / "keys").mkdir(parents=True)
    (folder / "policies").symlink_to(ROOT / "policies")
    (folder / "site.json").write_text(json.dumps({"default": {"mode": "flag"}}))
    generate_key_pair(folder / "keys/bundle.key", folder / "keys/bundle.pub")
    return folder


def follow(command: str, office: Path) -> str:
    """Run a page's command; return what it prints."""
    done: subprocess.CompletedProcess[str] = run(command, office)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def revision(printed: str) -> str:
    return str(json.loads(printed)["revision"])


def test_roll_out_a_policy(office: Path, tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    with BundleServer(tmp_path / "server") as server, LedgerServer(tmp_path / "ledger") as ledger:
        (office / WWW).symlink_to(server.www)
        names = {"ledger search": f"ledger search --data {ledger.data}"}
        watch, count, stage, promote, back = commands("roll-out-a-policy.md", names)
        host = HostOpa(tmp_path / "host", office / "keys", server)
        host.report_to(ledger, EVENT["host"]["name"], office / "keys")
        watched = revision(follow(watch, office))
        with host:
            activated_first(host, watched)
            asked = host.decide(EVENT, STANDING)["decision_id"]

            def arrived() -> bool:
                with ledger.book() as book:
                    return any(record.id == asked for record in book.records())

            wait_until(arrived, what="the decision is in the ledger")
            assert f"{watched}: " in follow(count, office)
            staged = revision(follow(stage, office))
            activated(host, staged)
            promoted = revision(follow(promote, office))
            activated(host, promoted)
            (office / "promoted.tar.gz").rename(office / "former.tar.gz")
            # The next one turns out to be bad.
            (office / "site.json").write_text(json.dumps({"default": {"mode": "enforce"}}))
            bad = revision(follow(watch.replace("--stage observe", "--issued 2099-01-01T00:00:00Z"), office))
            activated(host, bad)
            followed = run(back, office)
            assert "what is served was issued 2099-01-01T00:00:00Z" in followed.stderr
            good = revision(follow(f"{back} --issued 2099-01-02T00:00:00Z", office))
            activated(host, good)
            assert host.decide(EVENT, STANDING)["result"]["actions"] == ["flag"]


def test_rotate_the_bundles_key(office: Path, tmp_path: Path) -> None:
    with BundleServer(tmp_path / "server") as server:
        (office / WWW).symlink_to(server.www)
        former = named(office / "keys/bundle.pub").id
        page = commands("rotate-the-bundle-key.md", {"FORMER-ID": former})
        make, both, *moves, show, remove, alone = page
        assert len(moves) == 4
        first = revision(follow(alone, office))
        early, late = (HostOpa(tmp_path / name, office / "keys", server) for name in ("early", "late"))
        with early, late:
            for host in (early, late):
                activated_first(host, first)
            new = json.loads(follow(make, office))["id"]
            assert [Path(place).parent.name for place in json.loads(follow(both, office))["served"]] == [
                former,
                new,
            ]
            for move in moves:
                follow(move, office)
        early.configure(office / "keys")
        with early, late:
            for host in (early, late):
                activated_first(host, first)
        late.configure(office / "keys")
        with late:
            activated_first(late, first)
            assert json.loads(follow(show, office))["id"] == former
            follow(remove, office)
            last = revision(follow(f"{alone} --issued 2099-01-01T00:00:00Z", office))
            activated(late, last)
        assert [path.name for path in server.www.iterdir()] == [new]


@pytest.mark.parametrize("page", ["roll-out-a-policy.md", "rotate-the-bundle-key.md"])
def test_the_variables_that_a_page_names_are_the_roles(page: str) -> None:
    text = (ROOT / "docs/how-to" / page).read_text()
    _, block = text.split("```yaml\n")
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())
    assert yaml.safe_load(block.split("```")[0]).keys() <= specs["argument_specs"]["main"]["options"].keys()
