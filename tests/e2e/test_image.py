"""The image pipeline on real hosts: a real `packer build`, a first boot, a broken seal, OpenTofu killed while it creates."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from contract.launchers import stale
from hostseal.core.images import Image, Track, added, revoked
from hostseal.core.seal_compare import Change
from hostseal.errors import ImageError, LauncherError
from hostseal.images import secrets
from hostseal.images.boot_test import promote
from hostseal.images.catalogue import MANIFEST, PROVENANCE, ROOT, Catalogue
from hostseal.images.verification import HOSTSEAL, healthy, require_intact, verify_seal
from hostseal.launcher import Machine, Wanted, run
from lab import Lab
from lab_site.images import ImageSite

pytest_plugins = ["e2e.image_fixture"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def wanted(image: Image, slot: str = "web-1", generation: int = 1) -> Wanted:
    return Wanted(slot=slot, generation=generation, instance=str(uuid.uuid4()), image=image.digest)


CAPABILITY = "0100000200200000000000000000000000000000"  # cap_net_raw=ep


@pytest.fixture(scope="module")
def machine(image_site: ImageSite, current: Image) -> Iterator[Machine]:
    """A host from the image, as its first boot left it."""
    one = wanted(current, slot="first")
    yield image_site.launcher.create(one)
    image_site.launcher.destroy(one.instance)


def said(machine: Machine, *command: str) -> str:
    done = run(machine, command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_same_inputs_are_built_once(image_site: ImageSite, current: Image) -> None:
    again = image_site.build(print)
    assert (again.digest, again.fresh) == (current.digest, False)
    assert again.seconds < 20


def test_the_provenance_names_inputs_commit_tools_and_times(image_site: ImageSite, current: Image) -> None:
    place = image_site.catalogue.place(current.digest)
    found = json.loads((place / PROVENANCE).read_bytes())
    assert found["image"] == current.digest
    assert {"base", "opa", "wheelhouse", "site", "seal.pub", "bundle.pub", "policies"} <= set(found["inputs"])
    assert all(value.startswith("sha256:") for value in found["inputs"].values())
    assert re.fullmatch(r"[0-9a-f]{40}( and uncommitted changes)?|unknown", found["commit"])
    assert found["tools"]["packer"].startswith("Packer v")
    assert found["started"] < found["finished"]


def test_no_secret_is_in_the_image(image_site: ImageSite, current: Image) -> None:
    top = (image_site.catalogue.place(current.digest) / ROOT).resolve()
    assert list(secrets.find(os.fsencode(top))) == []
    assert (top / "etc/machine-id").read_bytes() == b""
    assert list((top / "home").glob("*/.ssh")) == list((top / "root/.ssh").iterdir()) == []
    assert list((top / "var/lib/hostseal").iterdir()) == []
    for private in image_site.keys.glob("*.key"):
        body = private.read_text().splitlines()[1]
        assert subprocess.run(["grep", "-rqF", "-e", body, top], check=False).returncode == 1, private.name


def test_nothing_of_the_image_ran_while_it_was_built_and_all_of_it_comes_with_the_boot(
    machine: Machine,
) -> None:
    """never-started.sh asked on the build instance; here is what it left enabled."""
    units = ("opa.service", "hostseal.service", "hostseal.socket", "hostseal-decision-log.service")
    assert said(machine, "systemctl", "is-active", *units).split() == ["active"] * len(units)
    assert said(machine, "systemctl", "is-system-running").strip() == "running"
    healthy(machine)


def test_a_first_boot_makes_the_hosts_own_keys_and_writes_down_its_place(
    image_site: ImageSite, current: Image, machine: Machine
) -> None:
    instance = json.loads(said(machine, "cat", "/etc/hostseal/instance.json"))
    enrolled = instance.pop("enrolled")
    assert instance == {
        "slot": "first",
        "generation": 1,
        "instance": machine.instance,
        "host": machine.name,
        "image": current.digest,
    }
    assert enrolled.endswith("Z")
    modes = said(
        machine, "stat", "-c", "%a %U %n", *(f"/etc/hostseal/opa/{n}" for n in ("token", "server.key"))
    )
    assert modes.splitlines() == ["600 root /etc/hostseal/opa/token", "600 root /etc/hostseal/opa/server.key"]
    assert run(machine, ["ls", "/etc/hostseal/enrolment.json"]).returncode != 0
    other = image_site.launcher.create(wanted(current, slot="other"))
    try:
        tokens = {said(one, "sha256sum", "/etc/hostseal/opa/token") for one in (machine, other)}
        machine_ids = {said(one, "cat", "/etc/machine-id") for one in (machine, other)}
        assert (len(tokens), len(machine_ids)) == (2, 2)
    finally:
        image_site.launcher.destroy(other.instance)


def test_events_carry_the_image(machine: Machine, current: Image) -> None:
    lines = said(machine, HOSTSEAL, "log", "--json", "--last", "5").splitlines()
    events = [line["event"] for line in map(json.loads, lines) if line["kind"] == "event"]
    assert {event["host"]["image"] for event in events} == {current.digest}
    assert {event["host"]["name"] for event in events} == {machine.name}


def test_a_second_boot_keeps_the_hosts_identity_and_its_seal(
    image_site: ImageSite, current: Image, machine: Machine
) -> None:
    before = said(machine, "cat", "/etc/hostseal/instance.json", "/etc/hostseal/opa/ca.pem")
    Lab(image_site.prefix).host(machine.name).reboot()
    healthy(machine)
    assert said(machine, "cat", "/etc/hostseal/instance.json", "/etc/hostseal/opa/ca.pem") == before
    report = require_intact(machine, image_site.catalogue.place(current.digest))
    assert report.entries > 5000


def test_a_credential_for_another_host_or_none_gives_no_identity(
    image_site: ImageSite, current: Image
) -> None:
    one = wanted(current, slot="lost")
    made = image_site.launcher.create(one)
    try:
        host = Lab(image_site.prefix).host(made.name)
        host.peek("rm -r /etc/hostseal/instance.json /etc/hostseal/opa/*.pem /etc/hostseal/opa/token")
        done = host.peek(["systemctl", "restart", "hostseal-enrol.service"], check=False)
        assert done.returncode != 0
        assert "was given no enrolment credential" in host.journal("-u", "hostseal-enrol", "-o", "cat")
        assert host.peek("ls /etc/hostseal/opa").stdout.split().count("token") == 0
        with pytest.raises(ImageError, match="is not healthy"):
            healthy(made, seconds=1)
    finally:
        image_site.launcher.destroy(one.instance)


def test_each_way_to_break_a_seal_is_found(image_site: ImageSite, current: Image, machine: Machine) -> None:
    host = Lab(image_site.prefix).host(machine.name)
    host.peek(
        "echo '192.0.2.1 fix' >> /etc/hosts; echo x >> /etc/motd; chmod 4755 /usr/bin/env; rm /etc/issue;"
        " ln -sfn /tmp /etc/os-release; chown 2001 /usr/bin/who; touch /etc/cron.d/new;"
        " chmod 666 /etc/hostseal/opa/token; printf x > \"/usr/lib/$(printf 'b\\377d')\";"
        f" python3 -c \"import os; os.setxattr('/usr/bin/wc', 'security.capability', bytes.fromhex('{CAPABILITY}'))\""
    )
    report = verify_seal(machine, image_site.catalogue.place(current.digest))
    found = {(one.path, one.change) for one in report.differences}
    assert found == {
        ("/etc/motd", Change.CONTENT),
        ("/usr/bin/env", Change.MODE),
        ("/etc/issue", Change.MISSING),
        ("/etc/os-release", Change.TARGET),
        ("/usr/bin/who", Change.OWNER),
        ("/etc/cron.d/new", Change.ADDED),
        ("/etc/hostseal/opa/token", Change.UNSAFE),
        ("/usr/lib/b%FFd", Change.ADDED),
        ("/usr/bin/wc", Change.XATTRS),
    }
    shown = said(machine, HOSTSEAL, "seal", "show", "/usr/bin/wc")
    assert shown.startswith("file 0755 0:0 ")
    assert "  coreutils  " in shown
    with pytest.raises(ImageError, match="is broken in 9 place"):
        require_intact(machine, image_site.catalogue.place(current.digest))
    assert run(machine, [HOSTSEAL, "seal", "verify"]).returncode == 8


def test_a_host_with_another_manifest_is_not_believed(
    image_site: ImageSite, current: Image, machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / MANIFEST).write_bytes(b"another")
    with pytest.raises(ImageError, match="has another manifest"):
        verify_seal(machine, tmp_path)


def test_a_revoked_image_is_promoted_and_booted_by_nobody(
    image_site: ImageSite, current: Image, tmp_path: Path
) -> None:
    catalogue = Catalogue(tmp_path / "images")
    catalogue.take_in(current.digest, image_site.catalogue.place(current.digest))
    now = datetime.now(UTC)
    catalogue.change(
        lambda images: revoked(added(images, current.digest, now), current.digest, "a test", now)
    )
    other = ImageSite(tmp_path, image_site.prefix)
    with pytest.raises(ImageError, match=r"was\s+revoked\s+at .*: a test"):
        promote(catalogue, other.launcher, current.digest)
    before = image_site.launcher.machines()
    with pytest.raises(LauncherError, match=r"was\s+revoked\s+at .*: a test"):
        other.launcher.create(wanted(current))
    with pytest.raises(LauncherError, match=r"was\s+revoked\s+at .*: a test"):
        other.workspace().add(wanted(current))
    assert image_site.launcher.machines() == before


def test_an_image_with_a_broken_service_does_not_become_current(
    image_site: ImageSite, current: Image, tmp_path: Path
) -> None:
    """The boot test stands between: same image, but its files were changed behind the seal."""
    folder = tmp_path / "broken"
    subprocess.run(
        [
            "cp",
            "-a",
            "--reflink=auto",
            f"{(image_site.catalogue.place(current.digest) / ROOT).resolve()}/.",
            folder,
        ],
        check=True,
    )
    (folder / "etc/systemd/system/opa.service").write_text("[Service]\nExecStart=/bin/false\n")
    made = tmp_path / "made"
    made.mkdir()
    for name in (MANIFEST, PROVENANCE):
        (made / name).write_bytes((image_site.catalogue.place(current.digest) / name).read_bytes())
    folder.rename(made / ROOT)
    catalogue = Catalogue(tmp_path / "images")
    catalogue.take_in(current.digest, made)
    catalogue.change(lambda images: added(images, current.digest, datetime.now(UTC)))
    other = ImageSite(tmp_path, image_site.prefix)
    with pytest.raises((ImageError, LauncherError), match=r"opa|failed|degraded"):
        promote(catalogue, other.launcher, current.digest)
    assert [image.track for image in catalogue.images().images] == [Track.CANDIDATE]
    assert [one for one in image_site.launcher.machines() if one.slot == "boot-test"] == []


ADD = """
import sys, msgspec, pathlib
from hostseal.launcher import Wanted
from lab_site.images import ImageSite
folder, prefix, wanted = sys.argv[1:]
ImageSite(pathlib.Path(folder), prefix).workspace().add(msgspec.json.decode(wanted, type=Wanted))
"""


@pytest.mark.parametrize("after", [0.1, 0.3, 0.6, 1.0, 1.5])
def test_opentofu_killed_while_it_creates_leaves_one_host_after_the_next_run(
    image_site: ImageSite, current: Image, after: float
) -> None:
    one = wanted(current, slot="killed")
    known = programs(image_site.folder)
    arguments = [str(image_site.folder), image_site.prefix, msgspec.json.encode(one).decode()]
    caller = subprocess.Popen(
        [sys.executable, "-c", ADD, *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "molecule")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not (programs(image_site.folder) - known) and caller.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    started = time.monotonic()
    while time.monotonic() < started + after and caller.poll() is None:
        time.sleep(0.005)
    for pid in programs(image_site.folder) - known:
        os.kill(pid, signal.SIGKILL)
    caller.kill()
    caller.wait()
    workspace = image_site.workspace()
    try:
        made = workspace.add(one)
        assert made.state == "running"
        assert [found.instance for found in image_site.launcher.machines("killed")] == [one.instance]
        assert workspace.hosts() == {"killed-g1": one}
        healthy(made)
        require_intact(made, image_site.catalogue.place(current.digest))
    finally:
        workspace.retire(one)
    assert image_site.launcher.machines("killed") == ()
    assert workspace.hosts() == {}


def programs(folder: Path) -> set[int]:
    """The running programs that apply a plan of this session's fleet."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"apply" in words and os.fsencode(folder / "tofu/plan") in words:
                found.add(int(entry.name))
    return found


def test_labs_of_dead_test_processes_are_known_by_their_names() -> None:
    assert stale("image-p999999999")
    assert not stale(f"image-p{os.getpid()}")
    assert not stale("lab")
