"""The same sources, release and key give the same bytes, and OPA believes them."""

import datetime as dt
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hostseal.errors import PolicyError
from hostseal.policy import bundle
from hostseal.policy.archive import pack, unpack
from hostseal.policy.content import SIGNATURES, content
from hostseal.policy.opa_program import OpaProgram
from hostseal.policy.release import Release, after, rollout
from hostseal.policy.signing import SigningKey, generate_key_pair

MONDAY = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
RELEASE = Release(commit="5b8dd23f1a2b", issued=MONDAY, max_age_seconds=86400, rollout=rollout("observe"))


def key(folder: Path, kind: str) -> Path:
    made: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = (
        ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else rsa.generate_private_key(65537, 2048)
    )
    path = folder / f"{kind}.key"
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.mark.parametrize("kind", ["ES256", "RS256"])
def test_two_builds_in_two_folders_at_two_times_are_one(
    opa: Path, policies: Path, site: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    signing_key, made = key(tmp_path, kind), []
    for name, newest in (("first", 1_000_000_000), ("second/further", 1_900_000_000)):
        folder = tmp_path / name
        shutil.copytree(policies, folder)
        for path in [folder, *folder.rglob("*")]:
            subprocess.run(["touch", "-d", f"@{newest}", path], check=True)
        made.append(bundle.make(opa, bundle.sources(folder, site), signing_key, RELEASE))
    assert made[0] == made[1]
    out = tmp_path / "bundle.tar.gz"
    made[0].write(out)
    public = SigningKey(signing_key).public
    assert public.algorithm == kind
    OpaProgram(opa).verify(out, public, tmp_path)
    said = bundle.read(opa, out, [public])
    assert said.revision == made[0].revision
    assert said.data["hostseal"]["bundle"] == {"issued": "2026-11-23T08:00:00Z", "max_age_seconds": 86400}
    assert said.data["hostseal"]["rollout"] == {"state": "observe"}
    assert said.data["hostseal"]["site"]["automation"]["accounts"] == ["deploy"]


def test_the_revision_tells_time_commit_and_content(opa: Path, policies: Path) -> None:
    what = bundle.sources(policies, {})
    whole = bundle.make(opa, what, None, RELEASE).revision
    time, commit, digest = whole.split("-")
    assert (time, commit) == ("20261123T080000Z", "5b8dd23f1a2b")
    assert digest == RELEASE.over(what).digest()
    later = bundle.make(opa, what, None, Release(commit=RELEASE.commit, issued=TUESDAY)).revision
    assert later > whole
    assert bundle.make(opa, what, None).revision == Release().over(what).digest()


def test_another_key_signs_the_same_content_under_the_same_revision(
    opa: Path, policies: Path, tmp_path: Path
) -> None:
    what = bundle.sources(policies, {})
    first, second = (bundle.make(opa, what, key(tmp_path, kind), RELEASE) for kind in ("ES256", "RS256"))
    assert first.revision == second.revision
    (tmp_path / "one").write_bytes(first.packed)
    (tmp_path / "two").write_bytes(second.packed)
    one, two = unpack(tmp_path / "one"), unpack(tmp_path / "two")
    assert one.pop(SIGNATURES) != two.pop(SIGNATURES)
    assert one == two


def test_what_is_promoted_is_what_was_watched(opa: Path, policies: Path, tmp_path: Path) -> None:
    signing_key, out = key(tmp_path, "ES256"), tmp_path / "watched.tar.gz"
    what = bundle.sources(policies, {"deadline_seconds": 601})
    bundle.make(opa, what, signing_key, RELEASE).write(out)
    watched = bundle.read(opa, out, [SigningKey(signing_key).public])
    promoted = bundle.make(opa, watched, signing_key, after(watched, TUESDAY, rollout("promoted")))
    direct = Release(
        commit=RELEASE.commit, issued=TUESDAY, max_age_seconds=86400, rollout=rollout("promoted")
    )
    assert promoted == bundle.make(opa, what, signing_key, direct)


def test_a_byte_that_flipped_another_key_and_no_signature_are_refused(
    opa: Path, policies: Path, tmp_path: Path
) -> None:
    signing_key, out = key(tmp_path, "ES256"), tmp_path / "bundle.tar.gz"
    public, stranger = SigningKey(signing_key).public, SigningKey(key(tmp_path, "RS256")).public
    bundle.make(opa, bundle.sources(policies, {}), signing_key, RELEASE).write(out)
    files = unpack(out)
    with pytest.raises(PolicyError, match=f"is not a bundle that the key {stranger.id} signed"):
        bundle.read(opa, out, [stranger])
    assert bundle.read(opa, out, [stranger, public]) == content(files)
    name = "hostseal/event/decision.rego"
    flipped = {**files, name: files[name].replace(b"allowed", b"allowef", 1)}
    assert flipped != files
    unsigned = {name: body for name, body in files.items() if name != SIGNATURES}
    for wrong in (flipped, unsigned):
        out.write_bytes(pack(wrong))
        with pytest.raises(PolicyError, match="is not a bundle that the key"):
            bundle.read(opa, out, [public])


def test_a_bundle_that_uses_what_it_may_not_is_refused(opa: Path, policies: Path, tmp_path: Path) -> None:
    allowed = json.loads(
        subprocess.run([opa, "capabilities", "--current"], capture_output=True, check=True).stdout
    )
    allowed["builtins"] = [one for one in allowed["builtins"] if one["name"] != "sprintf"]
    (tmp_path / "capabilities.json").write_text(json.dumps(allowed))
    with pytest.raises(
        PolicyError, match=r"(?s)OPA does not take these policies: .*undefined function sprintf"
    ):
        bundle.make(opa, bundle.sources(policies, {}), None, capabilities=tmp_path / "capabilities.json")


def test_a_greatest_age_needs_a_time(opa: Path, policies: Path) -> None:
    with pytest.raises(PolicyError, match="a bundle with a greatest age needs the time it was issued"):
        bundle.make(opa, bundle.sources(policies, {}), None, Release(max_age_seconds=60))


def test_short_rsa_keys_and_other_curves_are_refused(tmp_path: Path) -> None:
    for made in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())):
        path = tmp_path / "wrong.key"
        path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(PolicyError, match="neither EC P-256 nor RSA of 2048 bits or more"):
            SigningKey(path)


def test_a_keys_id_is_the_public_halfs_alone(tmp_path: Path) -> None:
    generate_key_pair(tmp_path / "a.key", tmp_path / "a.pub")
    first = SigningKey(tmp_path / "a.key").public
    again = subprocess.run(
        ["openssl", "pkey", "-pubout", "-in", tmp_path / "a.key"], capture_output=True, check=True
    )
    assert again.stdout == first.pem
    assert len(first.id) == 16
