"""The classes of files that change by design on a Debian host, and what no class may be."""

from hostseal.core.by_design import ByDesign
from hostseal.core.change_set import What
from hostseal.core.trees import parts

_NETWORK = ("ifup@*.service", "networking.service", "NetworkManager.service", "resolvconf.service")

BY_DESIGN = {
    "resolv_conf": ByDesign(
        reason="the network's name servers, as DHCP gives them",
        paths=("/etc/resolv.conf", "/etc/resolv.conf.dhclient-new.*"),
        units=_NETWORK,
    ),
    "mtab": ByDesign(
        reason="the mounted file systems, where it is a file and not a link to /proc",
        paths=("/etc/mtab",),
        units=("systemd-tmpfiles-setup.service",),
    ),
    "clock": ByDesign(
        reason="how far the hardware clock drifts, written when the clock is set",
        paths=("/etc/adjtime",),
        units=("hwclock-save.service", "systemd-timedated.service"),
        unseen=True,
    ),
    "update_stamp": ByDesign(
        reason="when /usr was last updated, written at the boot after",
        paths=("/etc/.updated",),
        units=("systemd-update-done.service",),
        unseen=True,
    ),
}


def mistake(one: ByDesign) -> tuple[str, str] | None:
    """Return the key of a class that is wrong, and what is wrong with it; None: nothing."""
    if not one.reason.strip():
        return "reason", "empty: say why these files change"
    for path in one.paths:
        names = parts(path.encode())
        if not path.startswith("/"):
            return "paths", f"{path!r} is not absolute"
        if b".." in names or b"." in names:
            return "paths", f"{path!r} names .. or .: write the path as the kernel tells it"
        if len(names) < 2:  # noqa: PLR2004 - a whole tree is no class
            return "paths", f"{path!r} is a whole tree: name the files in it"
    return None if one.what else ("what", f"empty: some of {', '.join(What)}")
