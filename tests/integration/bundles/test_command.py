"""`hostseal policy build` and `keys` by hand: what they take from where, and what they refuse."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hostseal.policy.bundle import unverified
from hostseal.trial import opa_child
from integration.bundles.conftest import HOSTSEAL, ROOT
from unit.policy.test_commits import MONDAY, git

MONDAYS, EPOCH = "2026-11-23T08:00:00Z", "1795420860"


def hostseal(folder: Path, *words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    known = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    return subprocess.run(
        [HOSTSEAL, "policy", *words],
        cwd=folder,
        env={**known, "HOSTSEAL_OPA": str(opa_child.find().absolute()), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with policies and site data, committed on a Monday, and a key that is not in it."""
    folder = tmp_path_factory.mktemp("office")
    shutil.copytree(ROOT / "policies", folder / "policies")
    (folder / "site.json").write_text("{}")
    git(folder, "init", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "Begin", time=MONDAY)
    assert hostseal(folder, "keys", "new", "bundle.key").returncode == 0
    return folder


BUILD = ("build", "--policies", "policies", "--site", "site.json", "--out", "bundle.tar.gz")


def said(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = unverified(folder / "bundle.tar.gz").data["hostseal"]["bundle"]
    return found


def test_a_bundle_is_of_its_commit_and_of_the_commits_time(office: Path) -> None:
    done = hostseal(office, *BUILD, "--max-age", "7d", "--signing-key", "bundle.key")
    assert done.returncode == 0, done.stderr
    assert said(office) == {"issued": MONDAYS, "max_age_seconds": 604800}
    commit = git(office, "rev-parse", "HEAD")[:12]
    assert json.loads(done.stdout)["revision"].startswith(f"20261123T080000Z-{commit}-")


def test_source_date_epoch_is_taken_and_what_is_asked_for_goes_before_it(office: Path) -> None:
    assert hostseal(office, *BUILD, SOURCE_DATE_EPOCH=EPOCH).returncode == 0
    assert said(office)["issued"] == "2026-11-23T08:01:00Z"
    assert (
        hostseal(office, *BUILD, "--issued", "2026-11-24T00:00:00Z", SOURCE_DATE_EPOCH=EPOCH).returncode == 0
    )
    assert said(office)["issued"] == "2026-11-24T00:00:00Z"


def test_capabilities_beside_the_policies_are_kept_to(office: Path, tmp_path: Path) -> None:
    allowed = json.loads(
        subprocess.run(
            [opa_child.find(), "capabilities", "--current"], capture_output=True, check=True
        ).stdout
    )
    allowed["builtins"] = [one for one in allowed["builtins"] if one["name"] != "sprintf"]
    shutil.copytree(office / "policies", tmp_path / "policies")
    (tmp_path / "policies/capabilities.json").write_text(json.dumps(allowed))
    (tmp_path / "site.json").write_text("{}")
    done = hostseal(tmp_path, *BUILD)
    assert (done.returncode, "undefined function sprintf" in done.stderr) == (1, True)
    assert not (tmp_path / "bundle.tar.gz").exists()


def test_policies_without_capabilities_get_hostseals(office: Path, tmp_path: Path) -> None:
    shutil.copytree(office / "policies", tmp_path / "policies")
    (tmp_path / "policies/capabilities.json").unlink()
    rule = tmp_path / "policies/hostseal/rules/forwarding/forwarding.rego"
    rule.write_text(rule.read_text() + "\nclock := time.now_ns()\n")
    (tmp_path / "site.json").write_text("{}")
    done = hostseal(tmp_path, *BUILD)
    assert (done.returncode, "undefined function time.now_ns" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--serve", "."), "hosts take no bundle over the network that is not signed"),
        (("--issued", "yesterday"), "'yesterday' is no time"),
        (("--stage", "half"), "--stage: 'half' is not one of observe, promoted"),
        (("--signing-key", "site.json"), "the signing key is not an unencrypted PEM private key"),
        (("--signing-key", "none.key"), "the signing key cannot be read: No such file"),
        (("--max-age", "a week"), "is no length of time; like 90s"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    office: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    done = hostseal(office, *BUILD[:-1], tmp_path / "out", *words)
    assert done.returncode != 0
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_greatest_age_without_a_time_is_refused(office: Path, tmp_path: Path) -> None:
    shutil.copytree(office / "policies", tmp_path / "policies")
    (tmp_path / "site.json").write_text("{}")
    done = hostseal(tmp_path, *BUILD, "--max-age", "7d")
    assert (done.returncode, "give --issued, set SOURCE_DATE_EPOCH" in done.stderr) == (1, True)


def test_a_key_is_not_made_over_another_and_a_private_one_is_not_shown(office: Path) -> None:
    before = (office / "bundle.key").read_bytes()
    again = hostseal(office, "keys", "new", "bundle.key")
    assert (again.returncode, "there already is a signing key" in again.stderr) == (1, True)
    assert (office / "bundle.key").read_bytes() == before
    shown = hostseal(office, "keys", "show", "bundle.key")
    assert (shown.returncode, "the public key is not a PEM public key" in shown.stderr) == (1, True)
