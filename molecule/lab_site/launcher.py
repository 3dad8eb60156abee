"""The lab as a launcher of hosts: one request as JSON on the command line, the answer as JSON on standard output.

Environment: HOSTSEAL_LAB, the lab's prefix; HOSTSEAL_CATALOGUE, the images' catalogue; HOSTSEAL_ENROLMENT_KEY, the private
key by which new hosts get their credentials.
"""

import json
import os
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from hostseal import keys
from hostseal.core.enrolment import Claim, Place, issue
from hostseal.core.event import timestamp
from hostseal.errors import HostsealError, LauncherError
from hostseal.images.catalogue import Catalogue
from hostseal.launcher import BuildInstance, Machine, Wanted
from lab import Host, HostImage, HostOptions, Lab, LabError, image
from lab.keys import AUTOMATION
from lab.locks import locked
from lab.progress import Progress

CREDENTIAL = "/etc/hostseal/enrolment.json"
_BUILD = "build"
_CREDENTIAL_MINUTES = 15


def create(fields: dict[str, Any]) -> Machine:
    """Return the host of this slot, generation and instance: the one that is there, or a new one."""
    wanted = msgspec.convert(fields, Wanted)
    lab = _lab()
    short = f"{wanted.slot}-g{wanted.generation}"
    # One at a time: what was killed while it created may have left somebody who still does.
    with locked(Path(f"/run/hostseal-launch-{lab.prefix}.lock")):
        there = [host for host in lab.hosts() if host.name == f"{lab.prefix}-{short}"]
        for host in there:
            if _tags(host).get("instance") != wanted.instance:
                raise LauncherError(
                    f"{host.name} exists as instance {_tags(host).get('instance')}",
                    hint="list, then adopt it",
                )
        options = HostOptions(
            image=HostImage(digest=wanted.image, root=str(_catalogue().root(wanted.image))),
            tags={"slot": wanted.slot, "generation": str(wanted.generation), "instance": wanted.instance},
        )
        (made,) = lab.up(
            [short], options=options, files={CREDENTIAL: _credential(wanted, f"{lab.prefix}-{short}")}
        )
        made.wait_ready()
    return _machine(made)


def list_machines(_fields: dict[str, Any]) -> list[Machine]:
    """Return the hosts that have a slot."""
    return [_machine(host) for host in _lab().hosts() if "slot" in _tags(host)]


def destroy(fields: dict[str, Any]) -> dict[str, Any]:
    """Remove the host with this instance id, if there is one."""
    lab = _lab()
    with locked(Path(f"/run/hostseal-launch-{lab.prefix}.lock")):
        names = [host.name for host in lab.hosts() if _tags(host).get("instance") == fields["instance"]]
        if names:
            lab.down(names)
    return {"removed": names}


def build_base(_fields: dict[str, Any]) -> dict[str, str]:
    """Return the digest of the lab's base image, made now if it must be."""
    return {"base": f"sha256:{image.ensure(Progress()).digest}"}


def build_create(fields: dict[str, Any]) -> BuildInstance:
    """Return a fresh host from the base image, under a name that no earlier build had."""
    build_destroy(fields)
    (host,) = _lab().up([f"{_BUILD}-{secrets.token_hex(3)}"])
    return BuildInstance(
        name=host.name,
        address=host.address,
        user=AUTOMATION,
        private_key=str(host.key(AUTOMATION)),
        ssh_arguments=str(host.describe()["ssh_common_args"]).replace("-o ControlPath=none ", ""),
    )


def build_capture(fields: dict[str, Any]) -> dict[str, str]:
    """Stop the build instance `name` and copy its disk to the folder `target`."""
    host = _lab().host(fields["name"])
    host.stop()
    host.capture(Path(fields["target"]))
    return {"captured": fields["target"]}


def build_destroy(_fields: dict[str, Any]) -> dict[str, Any]:
    """Remove all build instances."""
    lab = _lab()
    names = [host.name for host in lab.hosts() if host.name.startswith(f"{lab.prefix}-{_BUILD}-")]
    if names:
        lab.down(names)
    return {"removed": names}


ACTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "create": create,
    "list": list_machines,
    "destroy": destroy,
    "build-base": build_base,
    "build-create": build_create,
    "build-capture": build_capture,
    "build-destroy": build_destroy,
}


def main(arguments: list[str]) -> int:
    """Do what the one argument asks; 0, or 1 with the reason on standard error."""
    try:
        (text,) = arguments
        request = json.loads(text)
        answer = ACTIONS[request.pop("action")](request)
    except (LabError, HostsealError, msgspec.ValidationError, OSError) as error:
        print(f"hostseal-launch: {error}", file=sys.stderr)
        return 1
    except (ValueError, KeyError) as error:
        print(
            f"hostseal-launch: this is no request: {error!r}; actions: {', '.join(ACTIONS)}", file=sys.stderr
        )
        return 1
    print(msgspec.json.encode(answer).decode())
    return 0


def _credential(wanted: Wanted, host: str) -> bytes:
    place = Place(
        slot=wanted.slot,
        generation=wanted.generation,
        instance=wanted.instance,
        host=host,
        image=wanted.image,
    )
    claim = Claim(
        place=place,
        expires=timestamp(datetime.now(UTC) + timedelta(minutes=_CREDENTIAL_MINUTES)),
        nonce=secrets.token_hex(16),
    )
    return msgspec.json.encode(issue(claim, keys.private_key(Path(_setting("HOSTSEAL_ENROLMENT_KEY")))))


def _machine(host: Host) -> Machine:
    tags = _tags(host)
    return Machine(
        slot=tags["slot"],
        generation=int(tags["generation"]),
        instance=tags["instance"],
        image=host.record.image,
        name=host.name,
        address=host.address,
        state=host.state(),
        ssh=tuple(host.ssh_args(AUTOMATION)),
    )


def _tags(host: Host) -> dict[str, str]:
    return host.record.options.tags


def _catalogue() -> Catalogue:
    return Catalogue(Path(_setting("HOSTSEAL_CATALOGUE")))


def _lab() -> Lab:
    return Lab(_setting("HOSTSEAL_LAB"))


def _setting(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise LauncherError(f"{name} is not set", hint="docs/reference/launcher.md names the settings")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
