"""`hostseal seal`: its exit codes; a manifest that cannot be believed is never "nothing differs"."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect
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

    def scan_words(self, *more: object) -> tuple[object, ...]:
        options = ("--manifest", self.manifest, "--public-key", self.public, "--root", self.root)
        return ("scan", "--json-lines", *options, *more)

    def scan(self, *more: object) -> "subprocess.CompletedProcess[str]":
        return self.run(*self.scan_words(*more))


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


def test_show_says_whose_a_path_is_and_what_is_left_of_a_relative_one(sealed: Sealed) -> None:
    info = sealed.root / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (info / "base-files.list").write_text("/etc/a\n")
    sealed.run("create", sealed.root, "--out", sealed.manifest, "--key", sealed.key)
    options = ("--manifest", sealed.manifest, "--public-key", sealed.public)
    assert "  base-files  " in sealed.run("show", "/etc/../etc/a", *options).stdout
    assert json.loads(sealed.run("show", "/etc/a", *options, "--json").stdout)["package"] == "base-files"


def test_the_manifest_of_another_image_is_2_whoever_says_which_it_should_be(
    sealed: Sealed, tmp_path: Path
) -> None:
    other = "sha256:" + "0" * 64
    status, said, complaint = sealed.verify("--image", other)
    assert (status, said) == (2, "")
    assert f"the manifest is of image {sealed.image}, not of {other}" in complaint
    assert sealed.verify("--image", sealed.image)[0] == 0
    scanned = sealed.scan("--image", other)
    assert (scanned.returncode, scanned.stdout) == (2, "")


def test_a_host_believes_only_the_manifest_of_the_image_it_was_enrolled_as(
    sealed: Sealed, tmp_path: Path
) -> None:
    instance = tmp_path / "instance.json"
    place = {
        "slot": "web-1",
        "generation": 1,
        "instance": "i",
        "host": "h",
        "image": "sha256:0",
        "enrolled": "",
    }
    instance.write_text(json.dumps(place))
    words = ("--manifest", sealed.manifest, "--public-key", sealed.public, "--instance", instance)
    done = sealed.run("verify", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"the manifest is of image {sealed.image}, not of sha256:0" in done.stderr
    instance.write_text("{")
    done = sealed.run("verify", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "enrolled as cannot be read" in done.stderr


def test_diff_says_in_what_two_images_differ(sealed: Sealed, tmp_path: Path) -> None:
    old, new = sealed.manifest, tmp_path / "new"
    (sealed.root / "etc/a").write_text("b")
    (sealed.root / "etc/n").write_text("n")
    made = sealed.run("create", sealed.root, "--out", new, "--key", sealed.key)
    image = json.loads(made.stdout)["image"]
    done = sealed.run("diff", old, new, "--public-key", sealed.public)
    assert done.returncode == 8
    rows = done.stdout.splitlines()
    assert [row.split()[:2] for row in rows[:2]] == [["content", "/etc/a"], ["added", "/etc/n"]]
    assert rows[2] == f"2 difference(s): {sealed.image} to {image}"
    lines = sealed.run("diff", old, new, "--public-key", sealed.public, "--json").stdout.splitlines()
    assert [(json.loads(line)["path"], json.loads(line)["change"]) for line in lines] == [
        ("/etc/a", "content"),
        ("/etc/n", "added"),
    ]
    same = sealed.run("diff", new, new, "--public-key", sealed.public)
    assert (same.returncode, same.stdout) == (0, f"0 difference(s): {image} to {image}\n")
    new.write_bytes(new.read_bytes()[:-1])
    for pair in ((old, new), (new, old)):
        bad = sealed.run("diff", *pair, "--public-key", sealed.public)
        assert (bad.returncode, bad.stdout) == (2, "")


def test_verify_quick_remembers_what_it_read(sealed: Sealed, tmp_path: Path) -> None:
    quick = ("--quick", "--cache", tmp_path / "cache")
    assert sealed.verify(*quick)[0] == 0
    assert sealed.verify(*quick)[0] == 0
    (sealed.root / "etc/a").write_text("b")
    assert sealed.verify(*quick)[0] == 8


def test_a_scan_says_each_difference_once_and_done_at_its_end_alone(sealed: Sealed, tmp_path: Path) -> None:
    (sealed.root / "etc/a").write_text("b")
    (sealed.root / "etc/n").write_text("n")
    for more in ((), ("--newest-first",), ("--newest-first", "--idle"), ("--cache", tmp_path / "cache")):
        done = sealed.scan(*more)
        assert done.returncode == 0, done.stderr
        first, *found, last = map(json.loads, done.stdout.splitlines())
        assert (first["image"], first["entries"]) == (sealed.image, 2)
        assert sorted((one["path"], one["change"]) for one in found) == [
            ("/etc/a", "content"),
            ("/etc/n", "added"),
        ]
        assert last.pop("seconds") >= 0
        assert last == {"done": True, "entries": 2, "hashed": 1, "cached": 0, "unreadable": 0}
    part = sealed.scan("--scope", "/etc/n")
    assert [json.loads(line).get("path") for line in part.stdout.splitlines()] == [None, "/etc/n", None]


def test_a_scan_that_is_killed_or_cannot_begin_says_no_done(sealed: Sealed) -> None:
    with (sealed.root / "etc/large").open("wb") as file:
        file.truncate(512 << 20)
    sealed.run("create", sealed.root, "--out", sealed.manifest, "--key", sealed.key)
    argv = [PROGRAM, "seal", *map(str, sealed.scan_words("--idle"))]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "manifest" in running.stdout.readline()
        nice = Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()[16]
        policy = os.sched_getscheduler(running.pid)
        running.kill()
        assert "done" not in running.stdout.read()
    assert (int(nice), policy) == (19, os.SCHED_IDLE)
    sealed.manifest.unlink()
    done = sealed.scan()
    assert (done.returncode, done.stdout) == (2, "")


def test_progress_is_shown_on_a_terminal_and_nowhere_else(sealed: Sealed) -> None:
    words = ["--manifest", sealed.manifest, "--public-key", sealed.public, "--root", sealed.root]
    argv = [str(PROGRAM), "seal", "verify", *map(str, words)]
    with pexpect.spawn(argv[0], argv[1:], encoding="utf-8", timeout=60) as terminal:
        terminal.expect("comparing")
        terminal.expect("intact: 2 paths")
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 0
    assert sealed.verify()[2] == ""


def test_the_private_key_is_roots_alone_and_made_once(sealed: Sealed) -> None:
    before = sealed.key.read_bytes()
    assert keys.ensure_pair(sealed.keys, "seal").read_bytes() == before
    assert sealed.key.stat().st_mode & 0o777 == 0o600
