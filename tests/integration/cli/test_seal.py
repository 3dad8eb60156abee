"""`hostseal seal`: its exit codes; a manifest that cannot be believed is never "nothing differs"."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hostseal import keys

PROGRAM = Path(sys.executable).with_name("hostseal")
VERSION_1 = Path(__file__).parents[2] / "samples/seal/version-1"


class Sealed:
    def __init__(self, top: Path) -> None:
        self.root, self.manifest, self.keys = top / "root", top / "m", top / "keys"
        (self.root / "etc").mkdir(parents=True)
        (self.root / "etc/a").write_text("a")
        self.key = keys.ensure_pair(self.keys, "seal")
        self.public = self.key.with_suffix(".pub")
        made = self.run("create", self.root, "--out", self.manifest, "--key", self.key)
        self.image = json.loads(made.stdout)["image"]

    def run(self, *words: object) -> "subprocess.CompletedProcess[str]":
        argv = [PROGRAM, "seal", *map(str, words)]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    def verify(
        self, *more: object, manifest: Path | None = None, public: Path | None = None
    ) -> tuple[int, str, str]:
        options = ("--manifest", manifest or self.manifest, "--public-key", public or self.public)
        done = self.run("verify", *options, "--root", self.root, *more)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    return Sealed(tmp_path)


def test_intact_is_0_and_broken_is_8(sealed: Sealed) -> None:
    status, said, _ = sealed.verify()
    assert (status, said) == (0, f"intact: 2 paths of {sealed.image}, 0 difference(s)\n")
    (sealed.root / "etc/a").write_text("b")
    (sealed.root / "etc/n\x1b[31m").write_text("")
    status, said, _ = sealed.verify()
    assert status == 8
    assert said.splitlines()[0].startswith("content    /etc/a  ca978112")
    assert said.splitlines()[1] == "added      /etc/n%1B[31m"
    status, said, _ = sealed.verify("--json")
    assert status == 8
    report = json.loads(said)
    assert (report["intact"], report["image"], report["entries"]) == (False, sealed.image, 2)
    assert [one["change"] for one in report["differences"]] == ["content", "added"]


@pytest.mark.parametrize("as_json", [(), ("--json",)])
@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda raw: raw[:-40], "cut off"),
        (lambda raw: raw[:-101], "has no signature at its end"),
        (lambda raw: raw.replace(b"made at the first boot", b"made at the worst boot"), "was changed"),
        (lambda raw: raw.replace(b"hostseal seal 2", b"hostseal seal 9"), "has version 9"),
        (lambda raw: VERSION_1.read_bytes(), "has version 1, this program reads 2"),
        (lambda raw: b"", "cut off"),
        (lambda raw: b"\x7fELF", "not a seal's manifest"),
    ],
)
def test_a_damaged_manifest_is_2_and_says_no_word_of_intact(
    sealed: Sealed, tmp_path: Path, damage: object, why: str, as_json: tuple[str, ...]
) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(damage(sealed.manifest.read_bytes()))  # type: ignore[operator]
    status, said, complaint = sealed.verify(*as_json, manifest=bad)
    assert (status, said) == (2, "")
    assert why in complaint


def test_a_missing_manifest_a_missing_key_and_another_key_are_2(sealed: Sealed, tmp_path: Path) -> None:
    keys.ensure_pair(tmp_path / "other", "seal")
    cases = {
        "the manifest cannot be read": sealed.verify(manifest=tmp_path / "none"),
        "the key cannot be read": sealed.verify(public=tmp_path / "none"),
        "signed by another key": sealed.verify(public=tmp_path / "other/seal.pub"),
        "not a PEM public key": sealed.verify(public=sealed.manifest),
    }
    for why, (status, said, complaint) in cases.items():
        assert (status, said) == (2, ""), why
        assert why in complaint


def test_show_says_what_the_manifest_says(sealed: Sealed) -> None:
    options = ("--manifest", sealed.manifest, "--public-key", sealed.public)
    found = sealed.run("show", "/etc/a", *options, "--json")
    assert json.loads(found.stdout)["mode"] == "0644"
    assert sealed.run("show", "/etc/none", *options).returncode == 1


def test_the_private_key_is_roots_alone_and_made_once(sealed: Sealed) -> None:
    before = sealed.key.read_bytes()
    assert keys.ensure_pair(sealed.keys, "seal").read_bytes() == before
    assert sealed.key.stat().st_mode & 0o777 == 0o600
