"""The bundle: one revision for one content, never half written, and clear about wrong site data."""

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from hostseal.errors import PolicyError
from hostseal.policy import bundle, signing
from policy.conftest import Signed


def names(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return archive.getnames()


def content(path: Path, name: str) -> Any:
    with tarfile.open(path) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return json.load(file)


def test_the_bundle_has_the_rules_and_not_their_tests(signed: Signed) -> None:
    found = names(signed.path)
    assert "/hostseal/event/decision.rego" in found
    assert "/hostseal/rules/sealed_file_changed/sealed_file_changed.rego" in found
    assert "/system/authz/authz.rego" in found
    assert "/.signatures.json" in found
    assert not [name for name in found if "_test" in name or "schema" in name]


def test_the_manifest_has_revision_and_roots(signed: Signed) -> None:
    manifest = content(signed.path, "/.manifest")
    assert manifest["revision"] == signed.revision
    assert manifest["roots"] == ["hostseal", "system/authz", "system/log"]
    assert len(signed.revision) == 16


def test_site_data_goes_over_the_defaults(signed: Signed) -> None:
    merged = content(signed.path, "/data.json")["hostseal"]["site"]
    assert merged["default"] == {"mode": "observe", "class": "immutable"}
    assert merged["automation"]["accounts"] == ["deploy"]
    assert merged["hosts"]["enforcing-1"] == {"mode": "enforce", "class": "mutable", "groups": []}
    assert merged["channel"]["shell"] == "flag"


def test_the_same_content_has_the_same_revision(
    opa: Path, policies: Path, site: dict[str, Any], signed: Signed, tmp_path: Path
) -> None:
    turned = dict(reversed(site.items()))
    assert bundle.build(opa, policies, turned, tmp_path / "a.tar.gz", None) == signed.revision
    bundle.build(opa, policies, site, tmp_path / "b.tar.gz", None)
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


def test_other_data_and_other_policies_have_other_revisions(
    opa: Path, policies: Path, site: dict[str, Any], tmp_path: Path
) -> None:
    out, copied = tmp_path / "out.tar.gz", tmp_path / "policies"
    shutil.copytree(policies, copied)
    first = bundle.build(opa, copied, site, out, None)
    second = bundle.build(opa, copied, {**site, "deadline_seconds": 601}, out, None)
    with (copied / "hostseal" / "wording" / "wording.rego").open("a") as file:
        file.write("\n# changed\n")
    third = bundle.build(opa, copied, site, out, None)
    assert len({first, second, third}) == 3


def test_a_bundle_that_is_current_is_left_alone(
    opa: Path, policies: Path, site: dict[str, Any], signed: Signed
) -> None:
    before = signed.path.read_bytes(), signed.path.stat().st_ino
    assert bundle.build(opa, policies, site, signed.path, signed.private) == signed.revision
    assert (signed.path.read_bytes(), signed.path.stat().st_ino) == before


def test_a_bundle_of_another_key_is_replaced(
    opa: Path, policies: Path, site: dict[str, Any], signed: Signed, tmp_path: Path
) -> None:
    out = tmp_path / "out.tar.gz"
    shutil.copy(signed.path, out)
    signing.generate_key_pair(tmp_path / "key", tmp_path / "pub")
    assert bundle.build(opa, policies, site, out, tmp_path / "key") == signed.revision
    assert out.read_bytes() != signed.path.read_bytes()


@pytest.mark.parametrize("old", [b"", b"not a bundle", b"\x1f\x8b\x08broken"])
def test_what_is_no_bundle_is_replaced(
    opa: Path, policies: Path, site: dict[str, Any], signed: Signed, tmp_path: Path, old: bytes
) -> None:
    out = tmp_path / "out.tar.gz"
    out.write_bytes(old)
    bundle.build(opa, policies, site, out, signed.private)
    assert content(out, "/.manifest")["revision"] == signed.revision


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"colour": 1}, "the site data: Object contains unknown field `colour`; allowed keys: accounts_changed, "),
        ({"default": {"mode": "enforse"}}, "default.mode: Invalid enum value 'enforse'; allowed: observe, flag, enforce"),
        ({"default": {"mode": 3}}, "default.mode: Expected `str`, got `int`; allowed: observe, flag, enforce"),
        ({"hosts": {"a b": {"class": "soft"}}}, "hosts.a b.class: Invalid enum value 'soft'; allowed: immutable, mutable"),
        ({"hosts": {"a": {"group": []}}}, "hosts.a: Object contains unknown field `group`; allowed keys: mode, class, groups"),
        ({"hosts": {"a": {"groups": ["g"]}}}, "hosts.a.groups: 'g' is not one of groups: no group is defined"),
        ({"hosts": []}, "hosts: Expected `object`, got `array`"),
        ({"groups": {"g": {"mode": None}}}, "groups.g.mode: Expected `str`, got `null`; allowed: observe, flag, enforce"),
        ({"channel": {"shell": "drop"}}, "channel.shell: Invalid enum value 'drop'; allowed: flag, lift"),
        ({"channel": {"telnet": "flag"}}, "channel: Object contains unknown field `telnet`; allowed keys: shell, "),
        ({"automation_changes": "no"}, "automation_changes: Invalid enum value 'no'; allowed: allow, record, flag"),
        ({"package_upgrades": "no"}, "package_upgrades: Invalid enum value 'no'; allowed: allow, record, flag"),
        ({"left_behind": "no"}, "left_behind: Invalid enum value 'no'; allowed: record, flag"),
        ({"privilege": "no"}, "privilege: Invalid enum value 'no'; allowed: record, flag"),
        ({"automation": {"accounts": "deploy"}}, "automation.accounts: Expected `array`, got `str`"),
        ({"automation": {"key_fingerprints": ["MD5:x"]}}, "automation.key_fingerprints[0]: Expected `str` matching regex"),
        ({"gate": {"build_groups": ["g"]}}, "gate.build_groups: 'g' is not one of groups"),
        ({"gate": {"read_only_modules": {"a.b.c": "no"}}}, "gate.read_only_modules"),
        ({"gate": {"allow": []}}, "gate: Object contains unknown field `allow`; allowed keys: allowed_collections, "),
        ({"replace": {"attempts": 0}}, "replace.attempts: Expected `int` >= 1"),
        ({"deadline_seconds": 0}, "deadline_seconds: Expected `int` >= 1"),
        ([], "the site data is not a table of keys"),
    ],
)  # fmt: skip
def test_wrong_site_data_is_named(
    opa: Path, policies: Path, tmp_path: Path, wrong: Any, message: str
) -> None:
    out = tmp_path / "out.tar.gz"
    out.write_bytes(b"the old one")
    with pytest.raises(PolicyError) as error:
        bundle.build(opa, policies, wrong, out, None)
    assert error.value.message.startswith(message)
    assert [path.name for path in tmp_path.iterdir()] == ["out.tar.gz"]
    assert out.read_bytes() == b"the old one"


def test_policies_that_opa_does_not_take_are_named(opa: Path, policies: Path, tmp_path: Path) -> None:
    copied = tmp_path / "policies"
    shutil.copytree(policies, copied)
    (copied / "hostseal" / "event" / "broken.rego").write_text("package hostseal.broken\n\nallow if nobody\n")
    with pytest.raises(PolicyError, match=r"(?s)OPA does not take these policies: .*broken\.rego"):
        bundle.build(opa, copied, {}, tmp_path / "out.tar.gz", None)
    assert not (tmp_path / "out.tar.gz").exists()


def test_a_folder_without_policies_is_named(opa: Path, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="these are not Hostseal's policies"):
        bundle.build(opa, tmp_path, {}, tmp_path / "out.tar.gz", None)


def test_a_missing_opa_is_named(policies: Path, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no-such-opa is not a program"):
        bundle.build(Path("no-such-opa"), policies, {}, tmp_path / "out.tar.gz", None)


def test_an_opa_that_hangs_is_given_up(
    policies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = tmp_path / "opa"
    hanging.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(bundle, "SECONDS", 0.2)
    with pytest.raises(PolicyError, match=r"opa build took more than 0\.2 s"):
        bundle.build(hanging, policies, {}, tmp_path / "out.tar.gz", None)


def test_a_key_pair_is_made_once(tmp_path: Path) -> None:
    private, public = tmp_path / "bundle.key", tmp_path / "bundle.pub"
    signing.generate_key_pair(private, public)
    assert (private.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o600, 0o644)
    assert signing.public_key(private) == public.read_bytes()
    with pytest.raises(PolicyError, match="there already is a signing key"):
        signing.generate_key_pair(private, public)


def test_an_unusable_key_is_named(opa: Path, policies: Path, signed: Signed, tmp_path: Path) -> None:
    out = tmp_path / "out.tar.gz"
    with pytest.raises(PolicyError, match="cannot be read: No such file"):
        bundle.build(opa, policies, {}, out, tmp_path / "none")
    with pytest.raises(PolicyError, match="not an unencrypted PEM private key"):
        bundle.build(opa, policies, {}, out, signed.public)
