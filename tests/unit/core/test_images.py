"""Images on their tracks: no way to current but a boot test, and none back from revoked."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostseal.core import images as core
from hostseal.core.images import Images, Track, added, promoted, revoked, usable
from hostseal.errors import ImageError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ONE, TWO, THREE = ("sha256:" + digit * 64 for digit in "123")


def tracks(images: Images) -> dict[str, Track]:
    return {image.digest: image.track for image in images.images}


def current(*digests: str) -> Images:
    images = Images()
    for digest in digests:
        images = promoted(core.tested(added(images, digest, NOW), digest, NOW), digest, NOW)
    return images


def test_a_new_image_is_a_candidate_and_needs_a_boot_test_to_become_current() -> None:
    images = added(Images(), ONE, NOW)
    assert tracks(images) == {ONE: Track.CANDIDATE}
    with pytest.raises(ImageError, match="has not passed a boot test"):
        promoted(images, ONE, NOW)
    assert tracks(promoted(core.tested(images, ONE, NOW), ONE, NOW)) == {ONE: Track.CURRENT}


def test_the_one_before_is_deprecated_and_can_come_back() -> None:
    images = current(ONE, TWO)
    assert tracks(images) == {ONE: Track.DEPRECATED, TWO: Track.CURRENT}
    assert tracks(promoted(images, ONE, NOW)) == {ONE: Track.CURRENT, TWO: Track.DEPRECATED}


def test_a_revoked_image_is_never_used_tested_promoted_or_taken_in_anew() -> None:
    images = revoked(current(ONE, TWO), TWO, "a bad kernel", NOW)
    assert images.current is None
    assert added(images, TWO, NOW) == images
    for step in (usable, lambda i, d: core.tested(i, d, NOW), lambda i, d: promoted(i, d, NOW)):
        with pytest.raises(ImageError, match=r"was revoked at .*: a bad kernel"):
            step(images, TWO)  # type: ignore[operator]


def test_a_revocation_needs_a_reason_and_a_digest_must_be_one() -> None:
    with pytest.raises(ImageError, match="needs a reason"):
        revoked(current(ONE), ONE, " ", NOW)
    with pytest.raises(ImageError, match="no digest"):
        added(Images(), "sha256:../../etc", NOW)


def test_an_image_is_found_by_how_its_digest_begins_if_only_one_does() -> None:
    images = added(current(ONE, TWO), "sha256:12" + "0" * 62, NOW)
    assert images.find("2").digest == TWO
    with pytest.raises(ImageError, match="2 images begin with 1"):
        images.find("1")
    with pytest.raises(ImageError, match="there is no image 4"):
        images.find("4")


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "test", "promote", "revoke"]), st.sampled_from([ONE, TWO, THREE]))
    )
)
def test_whatever_is_asked_at_most_one_is_current_and_revoked_stays(steps: list[tuple[str, str]]) -> None:
    images, gone = Images(), set()
    for step, digest in steps:
        try:
            if step == "add":
                images = added(images, digest, NOW)
            elif step == "test":
                images = core.tested(images, digest, NOW)
            elif step == "promote":
                images = promoted(images, digest, NOW)
            else:
                images = revoked(images, digest, "why", NOW)
                gone.add(digest)
        except ImageError:
            continue
        on = tracks(images)
        assert list(on.values()).count(Track.CURRENT) <= 1
        assert {digest for digest, track in on.items() if track is Track.REVOKED} == gone
        assert all(image.tested for image in images.images if image.track is Track.CURRENT)
