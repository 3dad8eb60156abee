"""The agent holds a host to its image's seal: what differs breaks it, what was missed is scanned, and a bad manifest is never "nothing differs"."""

import base64
import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e import record
from hostseal.core.images import Image
from hostseal.launcher import Wanted
from lab import Host, Lab
from lab_site.images import ImageSite

pytest_plugins = ["e2e.image_fixture"]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

MANIFEST = "/etc/hostseal/image.seal"
ISSUE, MOTD = "/etc/issue", "/etc/motd"
CRON, MODULES = "/etc/cron.d", "/usr/lib/modules/6.1"
REMOVE_MODULES = f"rm -rf {MODULES}; rmdir --ignore-fail-on-non-empty /usr/lib/modules || true"
HASTE = "/etc/hostseal/config.d/60-maps.toml"
SETTLED_SECONDS = 3
"""A file that changed in the two seconds before it was read is read again by the next scan."""


@pytest.fixture(scope="module")
def host(image_site: ImageSite, current: Image) -> Iterator[Host]:
    """A host from the image; what a test changes it puts back."""
    one = Wanted(slot="live", generation=1, instance=str(uuid.uuid4()), image=current.digest)
    made = image_site.launcher.create(one)
    host = Lab(image_site.prefix).host(made.name)
    sh(host, f"cp -a {MANIFEST} /run/manifest; cp -a {ISSUE} {MOTD} /run")
    wait_for_state(host, "intact")
    yield host
    image_site.launcher.destroy(one.instance)


def sh(host: Host, script: str) -> str:
    return host.peek(["bash", "-ec", script], timeout=120).stdout


def seal(host: Host) -> dict[str, Any]:
    agent = record.status(host)["agent"]
    return {"state": "no agent"} if agent is None else agent["files"]["seal"]


def wait_for_state(host: Host, state: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = seal(host)
        return found if found["state"] == state else None

    return record.wait_until(look, what=f"the seal of {host.name} is {state}")


def wait_for_path(host: Host, after: int, path: str, seal: str) -> dict[str, Any]:
    """Return a path of a `files.changed` once it is there with that verdict."""

    def named(data: dict[str, Any]) -> dict[str, Any] | None:
        return next((one for one in data["paths"] if (one["path"], one["seal"]) == (path, seal)), None)

    found = record.wait_for(host, after, "files.changed", lambda data: named(data) is not None)
    return named(found["event"]["data"]) or {}


def wait_for_broken(host: Host, after: int, cause: str, path: str) -> dict[str, Any]:
    """Return the data of a `seal.broken` that names a path."""

    def names(data: dict[str, Any]) -> bool:
        return data["cause"] == cause and path in {one["path"] for one in data["differences"]}

    data: dict[str, Any] = record.wait_for(host, after, "seal.broken", names)["event"]["data"]
    return data


def wait_for_rescan(host: Host, after: int, cause: str) -> dict[str, Any]:
    """Return the data of the `sensor.lost` that says that a loss was scanned, after the one that told of it."""

    def of(rescanned: bool) -> Callable[[dict[str, Any]], bool]:
        return lambda data: (data["cause"], data["rescanned"]) == (cause, rescanned)

    lost = record.wait_for(host, after, "sensor.lost", of(rescanned=False))
    data: dict[str, Any] = record.wait_for(host, lost["event"]["seq"], "sensor.lost", of(rescanned=True))[
        "event"
    ]["data"]
    assert data["scope"] == lost["event"]["data"]["scope"]
    return data


def put_back(host: Host) -> None:
    """Make the files as the image has them, and wait until the agent says so."""
    sh(host, f"cp -a /run/issue {ISSUE}; cp -a /run/motd {MOTD}; cp -a /run/manifest {MANIFEST}")
    wait_for_state(host, "intact")


@pytest.fixture(autouse=True)
def _nothing_left(host: Host) -> Iterator[None]:
    """Undo what a test that failed half way left, so that it fails alone."""
    yield
    if seal(host)["state"] == "intact":
        return
    sh(
        host,
        f"systemctl stop holder || true; mountpoint -q {CRON} && umount {CRON}; rm -f {HASTE}; {REMOVE_MODULES};"
        " systemctl reset-failed; systemctl restart hostseal",
    )
    put_back(host)


def test_a_rewrite_with_the_same_content_is_touched_and_breaks_nothing(host: Host) -> None:
    before = record.last_seq(host)
    sh(host, f"cat {ISSUE} > /run/same; cat /run/same > {ISSUE}; chmod 644 {ISSUE}")
    path = wait_for_path(host, before, ISSUE, "touched")
    assert path["differs"] == []
    assert seal(host)["state"] == "intact"


def test_an_edit_breaks_the_seal_until_it_is_put_back(host: Host) -> None:
    before = record.last_seq(host)
    sh(host, f"echo edited >> {MOTD}; chmod 600 {MOTD}")
    assert set(wait_for_path(host, before, MOTD, "broken")["differs"]) == {"content", "mode"}
    assert wait_for_state(host, "broken")["differences"] == 2
    before = record.last_seq(host)
    sh(host, f"cp -a /run/motd {MOTD}")
    wait_for_path(host, before, MOTD, "touched")
    assert wait_for_state(host, "intact")["differences"] == 0
    assert [r for r in record.events(host) if r["event"]["type"] == "seal.broken"] == []


def test_what_changed_while_the_agent_was_down_is_found_whatever_its_times_say_and_told_once(
    host: Host,
) -> None:
    before = record.last_seq(host)
    sh(
        host,
        f"systemctl stop hostseal; touch -r {ISSUE} /run/times; echo edited >> {ISSUE}; touch -r /run/times {ISSUE};"
        f" mkdir -p {MODULES}; echo x > {MODULES}/new.ko; edited=$(stat -c %Z {ISSUE});"
        f" until [ $(($(date +%s) - edited)) -ge {SETTLED_SECONDS} ]; do sleep 0.1; done; systemctl start hostseal",
    )
    data = wait_for_broken(host, before, "start", ISSUE)
    assert {(one["path"], one["change"]) for one in data["differences"]} >= {
        (ISSUE, "content"),
        (f"{MODULES}/new.ko", "added"),
    }
    assert (data["complete"], data["truncated"], data["known"]) == (True, False, 0)
    assert (
        wait_for_rescan(host, before, "the agent was not running")["detail"]["differences"] == data["count"]
    )
    before = record.last_seq(host)
    sh(host, "systemctl restart hostseal")
    wait_for_rescan(host, before, "the agent was not running")
    found = wait_for_state(host, "broken")
    assert found["scans"]["last"]["hashed"] == 0, "an unchanged host is not hashed again"
    assert [r for r in record.events(host, before) if r["event"]["type"] == "seal.broken"] == []
    sh(host, REMOVE_MODULES)
    put_back(host)


def test_an_agent_that_is_killed_in_a_scan_scans_again(host: Host) -> None:
    before = record.last_seq(host)
    sh(
        host,
        "systemctl stop hostseal; echo edited >> /etc/motd; systemctl start --no-block hostseal;"
        " until child=$(pgrep -f '[h]ostseal seal scan'); do :; done; kill -STOP $child;"
        " kill -KILL $(systemctl show -p MainPID --value hostseal)",
    )
    assert wait_for_broken(host, before, "start", MOTD)["complete"] is True
    assert sh(host, "pgrep -fc '[h]ostseal seal scan' || true").strip() == "0"
    put_back(host)


def test_what_an_overflow_hid_is_found_by_a_scan(host: Host) -> None:
    before = record.last_seq(host)
    burst = (
        "import os; os.mkdir('/etc/burst')\n"
        "for n in range(20_000): open(f'/etc/burst/{n}', 'w').close()\n"
        "for n in range(20_000): os.unlink(f'/etc/burst/{n}')\n"
        "os.rmdir('/etc/burst')"
    )
    sh(
        host,
        f"agent=$(systemctl show -p MainPID --value hostseal); kill -STOP $agent; python3 -c {quoted(burst)};"
        f" echo edited >> {MOTD}; kill -CONT $agent",
    )
    lost = wait_for_rescan(host, before, "queue_overflow")
    assert lost["detail"]["differences"] >= 1
    assert wait_for_broken(host, before, "loss", MOTD)["complete"] is True
    put_back(host)
    files = record.status(host)["agent"]["files"]
    counts, decided = files["counts"], files["decided"]
    kernel, spooled = counts["kernel"], counts["spooled"]
    assert kernel["read"] == sum(kernel[k] for k in ("outside", "own", "matched", "waiting", "unplaced"))
    assert kernel["overflows"] >= 1
    assert kernel["handed_on"] == counts["changes"] == counts["waiting"] + spooled["changes"]
    assert spooled["changes"] == spooled["paths"] + counts["coalesced"] + counts["unnamed"]
    assert counts["losses"]["seen"] == counts["losses"]["spooled"] + counts["losses"]["waiting"]
    assert decided["found"] + decided["observed"] == decided["done"] + decided["undecided"]
    assert spooled["sets"] + files["seal"]["scans"]["rests_named"] == decided["observed"]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def other_manifest(folder: Path, key: Path) -> str:
    """Return the manifest of a tree that is no host, in base64."""
    (folder / "root/etc").mkdir(parents=True, exist_ok=True)
    (folder / "root/etc/hello").write_text("hello")
    out = folder / f"{key.stem}.seal"
    command = [Path(sys.executable).with_name("hostseal"), "seal", "create", folder / "root"]
    subprocess.run([*command, "--out", out, "--key", key], check=True, capture_output=True, timeout=60)
    return base64.b64encode(out.read_bytes()).decode()


@pytest.mark.parametrize("cause", ["cut", "other_image", "unknown_key", "missing"])
def test_a_manifest_that_cannot_be_believed_is_an_event_and_an_error_and_never_intact(
    host: Host, image_site: ImageSite, tmp_path: Path, cause: str
) -> None:
    stranger = tmp_path / "stranger.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", stranger], check=True, timeout=30)
    do = {
        "cut": f"truncate -s -2000 {MANIFEST}",
        "other_image": f"base64 -d <<< {other_manifest(tmp_path, image_site.keys / 'seal.key')} > {MANIFEST}",
        "unknown_key": f"base64 -d <<< {other_manifest(tmp_path, stranger)} > {MANIFEST}",
        "missing": f"rm {MANIFEST}",
    }[cause]
    before = record.last_seq(host)
    sh(host, do)
    data = record.wait_for(host, before, "seal.untrusted")["event"]["data"]
    assert (data["cause"], data["manifest"]) == (cause, MANIFEST)
    assert seal(host)["state"] == "untrusted"
    shown = host.peek([record.HOSTSEAL, "status"], check=False).stdout
    assert f"UNTRUSTED, {cause}" in shown
    assert "intact" not in shown
    checks = {
        one["check"]: one
        for one in json.loads(host.peek([record.HOSTSEAL, "doctor", "--json"], check=False).stdout)
    }
    assert checks["seal"]["ok"] is False
    sh(host, f"echo edited >> {MOTD}")
    assert wait_for_path(host, before, MOTD, "unsealed")["differs"] == []
    put_back(host)
    broken = [r for r in record.events(host, before) if r["event"]["type"] == "seal.broken"]
    assert broken == [], "all was put back before the scan"


def test_a_mount_over_a_sealed_directory_is_scanned(host: Host) -> None:
    before = record.last_seq(host)
    sh(host, f"mount -t tmpfs none {CRON}; echo '* * * * * root true' > {CRON}/evil")
    data = wait_for_broken(host, before, "mount", f"{CRON}/evil")
    assert data["scope"] == [CRON]
    sh(host, f"umount {CRON}")
    wait_for_state(host, "intact")


@pytest.mark.parametrize("cause", ["demand", "maps"])
def test_a_write_through_a_map_that_is_held_open_is_found(host: Host, cause: str) -> None:
    if cause == "maps":
        sh(host, f"printf '[seal]\nmaps_seconds = 1\n' > {HASTE}; systemctl restart hostseal")
        wait_for_state(host, "broken")  # by that file
    before = record.last_seq(host)
    holding = (
        "import mmap,time; f=open('/etc/motd','r+b'); m=mmap.mmap(f.fileno(),0); f.close(); m[0:1]=b'Z';"
        "print('held', flush=True); time.sleep(600)"
    )
    sh(host, f"systemd-run --unit=holder python3 -c {quoted(holding)}")
    record.wait_until(lambda: sh(host, "head -c 1 /etc/motd") == "Z", what="the write is there")
    if cause == "demand":
        sh(host, f"{record.HOSTSEAL} agent scan {MOTD}")
    assert wait_for_broken(host, before, cause, MOTD)["scope"] == [MOTD]
    sh(host, f"systemctl stop holder; rm -f {HASTE}; systemctl restart hostseal")
    put_back(host)
