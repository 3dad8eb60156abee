"""`make lab-up`: boots hosts, installs Hostseal on them, and says how to get in."""

import argparse
import shlex
import sys
from pathlib import Path

from lab import Lab, LabError
from lab_site.install import AUTOMATION, Site, install

STATE = Path("/var/lib/hostseal-lab-site")


def main() -> int:
    """Boot, install, tell."""
    parser = argparse.ArgumentParser(prog="lab_site", description="Lab hosts with Hostseal on them.")
    parser.add_argument("--n", type=int, default=1, metavar="HOSTS", help="how many (default 1)")
    parser.add_argument(
        "--mode", choices=("observe", "flag"), default="flag", help="the policy's mode (default flag)"
    )
    number = parser.parse_args()
    try:
        hosts = Lab("lab").up([str(index + 1) for index in range(number.n)])
        print(f"Installing Hostseal on {len(hosts)} host(s) with the collection's roles ...", flush=True)
        install(Site(STATE, default_mode=number.mode), hosts)
    except LabError as error:
        print(f"lab_site: {error}", file=sys.stderr)
        return 1
    for host in hosts:
        print(f"\n{host.name} ({host.address}), mode {number.mode}")
        print(f"  as a person:      {shlex.join(host.ssh_args('alice'))}")
        print(f"  as the automation account: {shlex.join(host.ssh_args(AUTOMATION))}")
    print(f"\nThe operator's keys (bundle, pardon) are in {STATE}/keys. `make lab-down` stops the hosts.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
