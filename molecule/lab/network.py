"""The lab's own bridge in its own range, and a cable from each host into it."""

import ipaddress
import json
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.process import call

BRIDGE = "hostseal-lab"
INSIDE = "host0"
CANDIDATES = [ipaddress.IPv4Network(f"10.{second}.0.0/24") for second in range(111, 127)]


def gateway() -> str:
    """Return the address that hosts know this machine by; the bridge need not be there yet."""
    return str((_bridge_range() or _free_range())[1])


def ensure_bridge() -> ipaddress.IPv4Network:
    """Return the bridge's range; make the bridge in a range nothing else here routes. Call under the global lock."""
    existing = _bridge_range()
    if existing is not None:
        return existing
    network = _free_range()
    # An address of its own: a bridge's default one changes with its ports.
    call(["ip", "link", "add", BRIDGE, "address", _hardware_address(network[1]), "type", "bridge"])
    call(["ip", "address", "add", f"{network[1]}/{network.prefixlen}", "dev", BRIDGE])
    call(["ip", "link", "set", BRIDGE, "up"])
    return network


def remove_bridge() -> None:
    """Remove the bridge, if it is there. Call under the global lock, with no host left."""
    if _link(BRIDGE) is not None:
        call(["ip", "link", "delete", BRIDGE])


def make_namespace(path: Path) -> None:
    """Make a network namespace held by `path`, in the mount namespace of the caller."""
    path.touch(mode=0o600)
    call(["unshare", f"--net={path}", "true"])


def attach(link: str, namespace: Path, *, address: str, prefix_length: int, alias: str) -> None:
    """Lay a cable from the bridge into a host's namespace and set its address."""
    detach(link)
    # The same hardware address for the same IP address: else whoever spoke with an earlier host of this address
    # speaks to a dead one until its neighbour entry ends, up to 50 s.
    hardware = _hardware_address(ipaddress.IPv4Address(address))
    peer = ["peer", "name", INSIDE, "netns", str(namespace), "address", hardware]
    call(["ip", "link", "add", link, "type", "veth", *peer])
    call(["ip", "link", "set", link, "master", BRIDGE, "alias", alias, "up"])
    inside = ["nsenter", f"--net={namespace}", "ip"]
    call([*inside, "link", "set", "lo", "up"])
    call([*inside, "address", "add", f"{address}/{prefix_length}", "dev", INSIDE])
    call([*inside, "link", "set", INSIDE, "up"])


def detach(link: str) -> None:
    """Remove the machine's end of a cable, if it is there."""
    if _link(link) is not None:
        try:
            call(["ip", "link", "delete", link])
        except LabError:
            if _link(link) is not None:  # it may have gone with its namespace in between
                raise


def links_with_alias(start: str) -> list[str]:
    """Return the machine's links whose alias begins with `start`."""
    links = _json(["ip", "-json", "link", "show"])
    return [link["ifname"] for link in links if str(link.get("ifalias", "")).startswith(start)]


def bridge_exists() -> bool:
    """Return whether the lab's bridge is there."""
    return _link(BRIDGE) is not None


def _hardware_address(address: ipaddress.IPv4Address) -> str:
    """Return a locally administered MAC address that the IP address alone decides."""
    return ":".join(f"{byte:02x}" for byte in (0x02, 0x1A, *address.packed))


def _link(name: str) -> Path | None:
    path = Path("/sys/class/net") / name
    return path if path.exists() else None


def _bridge_range() -> ipaddress.IPv4Network | None:
    if _link(BRIDGE) is None:
        return None
    for link in _json(["ip", "-json", "-4", "address", "show", "dev", BRIDGE]):
        for address in link.get("addr_info", []):
            return ipaddress.IPv4Network(f"{address['local']}/{address['prefixlen']}", strict=False)
    remove_bridge()  # a run broke off before the address was set
    return None


def _free_range() -> ipaddress.IPv4Network:
    taken = _taken_ranges()
    free = [network for network in CANDIDATES if not any(network.overlaps(other) for other in taken)]
    if not free:
        raise LabError(f"every range from {CANDIDATES[0]} to {CANDIDATES[-1]} is in use on this machine")
    return free[0]


def _taken_ranges() -> list[ipaddress.IPv4Network]:
    destinations = [route["dst"] for route in _json(["ip", "-json", "-4", "route", "show", "table", "all"])]
    return [
        ipaddress.IPv4Network(dst, strict=False)
        for dst in destinations
        if dst[0].isdigit() and dst != "0.0.0.0/0"
    ]


def _json(argv: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call(argv) or "[]")
    return [entry for entry in found if entry]
