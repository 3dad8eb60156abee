"""A host's normal week: a host that has all it takes, sealed as an image is, and what happens to it in a week."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from e2e import record
from lab import Host
from lab_site import Site

PACKAGE = "week"
LOG = "/var/log/week/week.log"
RESOLV, ADJTIME = "/etc/resolv.conf", "/etc/adjtime"

# Two versions of a package as a distribution's are: a program, a unit, a conffile, more files than one record names, and
# a script. It leaves out what changes a file and is gone within milliseconds (`chmod`, `update-alternatives`): on a machine
# as busy as one that runs tests, the agent may come too late to say in which unit or session that ran.
_DEB = r"""
for version in 1 2; do
    top=$(mktemp -d)
    mkdir -p $top/DEBIAN $top/etc/week.d $top/usr/bin $top/usr/lib/week $top/usr/lib/systemd/system
    printf '%s\n' 'Package: week' "Version: $version" 'Architecture: all' 'Description: what is upgraded in a week' \
        'Maintainer: Nobody <nobody@example.org>' > $top/DEBIAN/control
    echo /etc/week.conf > $top/DEBIAN/conffiles
    echo "version = $version" > $top/etc/week.conf
    printf '#!/bin/sh\necho %s\n' $version > $top/usr/bin/week
    printf '[Service]\nType=oneshot\nExecStart=/usr/bin/week\n' > $top/usr/lib/systemd/system/week.service
    for part in $(seq 150); do echo "$version $part" > $top/usr/lib/week/$part; done
    printf '#!/bin/sh\nset -e\nldconfig
echo %s > /etc/week.d/version\nsystemctl daemon-reload\n' $version > $top/DEBIAN/postinst
    chmod 755 $top $top/usr/bin/week $top/DEBIAN/postinst
    dpkg-deb --root-owner-group --build $top /srv/week/week_$version.deb
done
"""
# The distribution's unit for upgrades, which in the lab is masked and knows no repository.
_UPGRADES = r"""
cp week_2.deb repository
{ dpkg-deb -f week_2.deb; echo Filename: ./week_2.deb; echo "Size: $(stat -c %s week_2.deb)"
  echo "SHA256: $(sha256sum week_2.deb | cut -d' ' -f1)"; } > repository/Packages
rm -f /etc/apt/sources.list.d/* /etc/systemd/system/apt-daily-upgrade.service
echo 'deb [trusted=yes] file:/srv/week/repository ./' > /etc/apt/sources.list
mkdir -p /etc/systemd/system/apt-daily-upgrade.service.d
cat > /etc/systemd/system/apt-daily-upgrade.service.d/week.conf <<END
[Service]
ExecStart=
ExecStart=/usr/bin/apt-get update
ExecStart=/usr/bin/apt-get --yes upgrade
END
"""
# What dhclient-script does when a lease brings name servers, in the unit that runs dhclient; what hwclock does when the
# clock is set, in the unit that does it and once more while the host goes down.
_NETWORK = r"""
cat > /usr/local/sbin/week-lease <<'END'
#!/bin/sh
new=/etc/resolv.conf.dhclient-new.$$
: > $new
echo "nameserver 192.0.2.$1" >> $new
chown --reference=/etc/resolv.conf $new
chmod --reference=/etc/resolv.conf $new
mv -f $new /etc/resolv.conf
END
printf '#!/bin/sh\nsleep 1  # as hwclock waits for the next second\necho $$ >> /etc/adjtime\n' > /usr/local/sbin/week-clock
chmod 755 /usr/local/sbin/week-*
cat > /etc/systemd/system/ifup@.service <<END
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/week-lease %i
END
cat > /etc/systemd/system/hwclock-save.service <<END
[Unit]
Before=hostseal.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/week-clock
ExecStop=/usr/local/sbin/week-clock
END
date +%s > /etc/adjtime
mkdir -p /etc/week-printers
cat > /etc/systemd/system/week-printers.service <<'END'
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo new >> /etc/week-printers/list; echo >> /etc/cron.d/week-printers'
END
"""
_LOGS = rf"""
mkdir -p {Path(LOG).parent}
echo "Monday" > {LOG}
cat > /etc/logrotate.d/week <<END
{LOG} {{
    size 1
    rotate 3
    compress
    missingok
    postrotate
        /usr/bin/true
    endscript
}}
END
"""
# As an image is: by a key that is not on the host. The tree is sealed without what is mounted in it.
_SEAL = r"""
systemctl stop hostseal.socket hostseal
openssl genpkey -algorithm ed25519 -out /run/seal.key
openssl pkey -in /run/seal.key -pubout -out /etc/hostseal/seal.pub
mount --bind / /mnt
/opt/hostseal/bin/hostseal seal create /mnt --out /etc/hostseal/image.seal --key /run/seal.key
umount /mnt
rm /run/seal.key
systemctl start hostseal.socket hostseal
"""


def furnish(host: Host) -> None:
    """Give the host what a week needs; it has no agent yet."""
    script = f"mkdir -p /srv/week/repository; cd /srv/week\n{_DEB}\n{_UPGRADES}\n{_NETWORK}\n{_LOGS}"
    host.peek(["bash", "-euc", f"{script}\nsystemctl daemon-reload"], timeout=120)


def seal_it(host: Host) -> None:
    """Seal the host as it is, and have its agent begin with that seal."""
    host.peek(["bash", "-euc", _SEAL], timeout=120)
    record.wait_until(lambda: seal(host)["state"] == "intact", what="the seal is intact")


def seal(host: Host) -> dict[str, Any]:
    """Return how the agent says that the seal stands."""
    agent = record.status(host)["agent"]
    found: dict[str, Any] = agent["files"]["seal"] if agent is not None else {"state": "no agent"}
    return found


def verified(host: Host) -> tuple[int, dict[str, set[str]]]:
    """Return the exit code of `hostseal seal verify` and what it says of each path."""
    done = host.peek([record.HOSTSEAL, "seal", "verify", "--json"], check=False, timeout=120)
    found: dict[str, set[str]] = {}
    for one in json.loads(done.stdout)["differences"]:
        found.setdefault(one["path"], set()).add(one["change"])
    return done.returncode, found


def ansible(site: Site, module: str, arguments: str) -> str:
    """Have automation run one module on the site's hosts, as root."""
    command = [
        Path(sys.executable).with_name("ansible"), "all", "-i", site.folder / "inventory.json", "--become",
        "--one-line", "-m", module, "-a", arguments,
    ]  # fmt: skip
    environment = {**os.environ, "ANSIBLE_HOME": str(site.folder / "ansible"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def timers(host: Host) -> list[str]:
    """Return the services that the host's timers start, but for those of upgrades."""
    listed = host.peek(["systemctl", "list-timers", "--all", "--output=json"]).stdout
    found = {
        str(timer["activates"] or timer["unit"].replace(".timer", ".service")) for timer in json.loads(listed)
    }
    return sorted(found - {"apt-daily.service", "apt-daily-upgrade.service"})


def settled(host: Host) -> bool:
    """Tell whether all that was seen is on record and decided, and no scan is under way."""
    agent = record.status(host)["agent"]
    return (
        agent is not None
        and (agent["files"]["queue"], agent["spool"]["pending"]) == (0, 0)
        and agent["files"]["seal"]["scans"]["running"] is None
        and not agent["files"]["seal"]["scans"]["waiting"]
    )
