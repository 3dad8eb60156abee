"""The first boot: identity and place by a credential that is this host's, or none of it."""

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from hostseal import host_identity, keys
from hostseal.config.settings import LedgerSettings
from hostseal.core.enrolment import Claim, Place, issue
from hostseal.enrolment.join import Instance, join
from hostseal.errors import EnrolmentError
from hostseal.seal import files

PROGRAM = Path(__file__).parents[3] / "agent/dist/libexec/host-identity"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
needs_root = pytest.mark.skipif(
    os.geteuid() != 0 and "CI" not in os.environ, reason="keys are given to a group"
)


class FirstBoot:
    """/etc/hostseal as an image has it, and the keys that are not on the host."""

    def __init__(self, top: Path) -> None:
        self.folder, private = top / "hostseal", top / "private"
        self.folder.mkdir()
        (tree := top / "tree" / "etc").mkdir(parents=True)
        (tree / "issue").write_text("x")
        for name in ("enrolment", "seal"):
            keys.ensure_pair(private, name)
            (self.folder / f"{name}.pub").write_bytes((private / f"{name}.pub").read_bytes())
        self.key = keys.private_key(private / "enrolment.key")
        sealed = files.create(
            top / "tree", self.folder / "image.seal", keys.private_key(private / "seal.key")
        )
        self.place = Place(
            slot="web-1", generation=2, instance="i", host=socket.gethostname(), image=sealed.image
        )

    def give(self, place: Place, *, minutes: int = 5) -> None:
        claim = Claim(place=place, expires=(NOW + timedelta(minutes=minutes)).isoformat(), nonce="n")
        (self.folder / "enrolment.json").write_bytes(msgspec.json.encode(issue(claim, self.key)))

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def boot(tmp_path: Path) -> FirstBoot:
    return FirstBoot(tmp_path)


@needs_root
def test_a_host_gets_its_keys_writes_down_its_place_and_gives_up_the_credential(boot: FirstBoot) -> None:
    boot.give(boot.place)
    joined = join(boot.folder, NOW, LedgerSettings(), program=PROGRAM)
    assert joined == Instance(**msgspec.to_builtins(boot.place), enrolled="2026-11-24T12:00:00.000000Z")
    assert msgspec.json.decode((boot.folder / "instance.json").read_bytes(), type=Instance) == joined
    assert boot.names() == {
        *("enrolment.pub", "image.seal", "instance-id", "instance.json", "opa", "seal.pub")
    }
    machine_id = boot.folder / "none"
    assert host_identity.instance_id(boot.folder / "instance-id", machine_id) == boot.place.instance
    assert {path.name for path in (boot.folder / "opa").iterdir()} == {
        *("authz.json", "ca.pem", "server.key", "server.pem", "token", "gate-token", "operator-token")
    }
    assert host_identity.read("web", boot.folder / "instance.json").image == boot.place.image


@needs_root
def test_a_first_boot_that_broke_off_goes_on_with_the_keys_it_made(boot: FirstBoot) -> None:
    boot.give(boot.place)
    join(boot.folder, NOW, LedgerSettings(), program=PROGRAM)
    token = (boot.folder / "opa/token").read_bytes()
    (boot.folder / "instance.json").unlink()
    boot.give(boot.place)
    join(boot.folder, NOW, LedgerSettings(), program=PROGRAM)
    assert (boot.folder / "opa/token").read_bytes() == token


@needs_root
def test_a_first_boot_that_broke_off_at_its_very_end_gives_up_the_credential(boot: FirstBoot) -> None:
    boot.give(boot.place)
    joined = join(boot.folder, NOW, LedgerSettings(), program=PROGRAM)
    boot.give(boot.place)
    assert join(boot.folder, NOW, LedgerSettings(), program=PROGRAM) == joined
    assert "enrolment.json" not in boot.names()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"host": "web-9"}, "is for host 'web-9'"),
        ({"image": "sha256:" + "0" * 64}, "is for image"),
    ],
)
def test_another_hosts_or_images_credential_gives_nothing(
    boot: FirstBoot, fields: dict[str, str], why: str
) -> None:
    boot.give(replace(boot.place, **fields))  # type: ignore[arg-type]
    before = boot.names()
    with pytest.raises(EnrolmentError, match=why):
        join(boot.folder, NOW, LedgerSettings(), program=PROGRAM)
    assert boot.names() == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_damaged_credential_gives_nothing(boot: FirstBoot, content: bytes) -> None:
    (boot.folder / "enrolment.json").write_bytes(content)
    with pytest.raises(EnrolmentError, match=r"not JSON|not an enrolment credential"):
        join(boot.folder, NOW, LedgerSettings(), program=PROGRAM)
    assert "instance.json" not in boot.names()


def test_an_expired_one_and_none_give_nothing(boot: FirstBoot) -> None:
    with pytest.raises(EnrolmentError, match="was given no enrolment credential"):
        join(boot.folder, NOW, LedgerSettings(), program=PROGRAM)
    boot.give(boot.place, minutes=-1)
    with pytest.raises(EnrolmentError, match="expired"):
        join(boot.folder, NOW, LedgerSettings(), program=PROGRAM)
    assert "opa" not in boot.names()


def test_a_host_that_never_enrolled_is_known_by_its_machine_id(tmp_path: Path) -> None:
    enrolled, machine = tmp_path / "instance-id", tmp_path / "machine-id"
    assert host_identity.instance_id(enrolled, machine) == ""
    machine.write_text("97f70f8ffec04d73afb0ef26920bf1bd\n")
    assert host_identity.instance_id(enrolled, machine) == "97f70f8ffec04d73afb0ef26920bf1bd"
    enrolled.write_text("5f0c954e-6a52-4c3e-9c39-5d2e6a7b8f10\n")
    assert host_identity.instance_id(enrolled, machine) == "5f0c954e-6a52-4c3e-9c39-5d2e6a7b8f10"


def test_a_host_without_an_image_has_none_in_its_events(tmp_path: Path) -> None:
    assert host_identity.read("web", tmp_path / "missing").image is None
    (tmp_path / "damaged").write_bytes(b"\xff{")
    assert host_identity.read("web", tmp_path / "damaged").image is None
    (tmp_path / "good").write_text(json.dumps({"image": "sha256:1", "more": 1}))
    assert host_identity.read("web", tmp_path / "good").image == "sha256:1"
