"""Rotation of the keys that a site's playbook gives its hosts (docs/reference/keys.md): what the old one signed holds no more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from e2e import person, record
from e2e.conftest import Fleet
from e2e.test_a_login_is_never_blocked import shell
from lab import Host
from lab_site import install

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

OPA = "/etc/hostseal/opa"
# Not a decision: that would stand in the decision log, and name no event.
ASK = """
import ssl, sys, urllib.error, urllib.request
url, bearer = "https://127.0.0.1:8181/v1/status", {"Authorization": "Bearer " + sys.argv[1]}
try:
    context = ssl.create_default_context(cafile="/etc/hostseal/opa/ca.pem")
    print(urllib.request.urlopen(urllib.request.Request(url, headers=bearer), context=context).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def pardon(host: Host, key: Path) -> str:
    incident = record.status(host)["standing"]["incident"]["id"]
    command = [Path(sys.executable).with_name("hostseal"), "flag", "pardon", "--reason", "keys were rotated"]
    command += ["--host", host.name, "--incident", incident, "--key", key, "--person", "carol"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def test_pardon_bundle_token_and_certificate_are_rotated_and_the_former_ones_hold_no_more(
    fleet: Fleet, sealed: Host, tmp_path: Path
) -> None:
    keys = fleet.site.keys
    before = {name: (keys / name).read_bytes() for name in ("pardon.pub", "bundle.pub")}
    on_host = {
        name: shell(sealed, f"sha256sum {OPA}/{name}")
        for name in ("bundle.pub", "token", "ca.pem", "server.pem")
    }
    old_token = shell(sealed, f"cat {OPA}/token")
    for name in ("pardon", "bundle"):
        for half in ("key", "pub"):
            (keys / f"{name}.{half}").rename(tmp_path / f"{name}.{half}")
    shell(sealed, f"rm {OPA}/token {OPA}/server.pem")
    install(fleet.site, fleet.hosts, only=["opa", "agent"])
    assert {name: (keys / name).read_bytes() for name in before}.items().isdisjoint(before.items())
    for name, digest in on_host.items():
        assert shell(sealed, f"sha256sum {OPA}/{name}") != digest, name
    record.wait_until(
        lambda: all(
            one["ok"]
            for one in json.loads(sealed.peek([record.HOSTSEAL, "doctor", "--json"], check=False).stdout)
        ),
        what="all is well with the new keys",
    )
    assert sealed.peek(["/usr/bin/python3", "-c", ASK, old_token]).stdout.strip() == "401"
    assert (
        sealed.peek(["/usr/bin/python3", "-c", ASK, shell(sealed, f"cat {OPA}/token")]).stdout.strip()
        == "200"
    )
    seq = record.last_seq(sealed)
    with person.shell(sealed, "alice") as session:
        person.run(session, "true")
        decided = record.wait_for(sealed, seq, "session.channel")
    assert decided["decision"]["actions"] == ["flag"]
    refused = sealed.peek(
        [record.HOSTSEAL, "flag", "apply-pardon", "-"],
        input=pardon(sealed, tmp_path / "pardon.key"),
        check=False,
    )
    assert (refused.returncode, "sign" in refused.stderr) == (2, True), refused.stderr
    taken = sealed.peek(
        [record.HOSTSEAL, "flag", "apply-pardon", "-"], input=pardon(sealed, keys / "pardon.key"), check=False
    )
    assert taken.returncode == 0, taken.stderr
    record.wait_for(sealed, seq, "flag.pardoned")
