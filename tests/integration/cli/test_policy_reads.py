"""What of the input policies read, told by a real OPA from a bundle, signed or not."""

from pathlib import Path

import pytest

from hostseal.errors import PolicyError
from hostseal.policy import bundle, reads, signing
from hostseal.policy.packaged import policies
from hostseal.policy.scaffold import new
from hostseal.trial import opa_child


def test_what_is_masked_matters_only_where_it_is_read(tmp_path: Path) -> None:
    opa, out = opa_child.find(), tmp_path / "b.tar.gz"
    signing.generate_key_pair(tmp_path / "key", tmp_path / "pub")
    bundle.build(opa, policies(), {}, out, tmp_path / "key")
    found = reads.of_bundle(opa, out)
    pointers = (
        "/input/extra_vars",
        "/input/play/hosts/0",
        "/input/play",
        "/input",
        "/input/credentials/0/x~1y",
    )
    assert found.any_of("play", pointers) == ("/input/play/hosts/0", "/input/play", "/input")
    assert found.any_of("event", ("/input/event/data/user", "/input/event/host/boot_id")) == (
        "/input/event/data/user",
    )


def test_a_rule_of_ones_own_that_reads_it_makes_it_matter(tmp_path: Path) -> None:
    opa, out = opa_child.find(), tmp_path / "b.tar.gz"
    [_, rule, _] = new("first_boot", tmp_path / "rules")
    rule.write_text(
        rule.read_text().replace(
            "	identity.person\n", "	identity.person\n	input.event.host.boot_id\n"
        )
    )
    bundle.build(opa, policies(), {}, out, None, [tmp_path / "rules"])
    lost = ("/input/event/host/boot_id",)
    assert reads.of_bundle(opa, out).any_of("event", lost) == lost


def test_what_is_no_bundle_is_named(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"no bundle")
    with pytest.raises(PolicyError, match="cannot be told") as caught:
        reads.of_bundle(opa_child.find(), tmp_path / "b")
    assert caught.value.hint == str(tmp_path / "b")
