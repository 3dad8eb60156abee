"""The lab's command line."""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from lab import image
from lab.console import attach
from lab.errors import LabError
from lab.host import Host
from lab.instance import Lab, all_labs
from lab.keys import AUTOMATION, USERS, ssh_config
from lab.leftovers import require_root
from lab.progress import Progress
from lab.pty_relay import SOCKET
from lab.records import HostOptions, lab_names

DEFAULT = "lab"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 with the reason on standard error."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(_host_last(words) if words[:1] == ["ssh"] else words)
    try:
        status: int = arguments.command(arguments)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; `lab down` removes what was started", file=sys.stderr)
        return 130
    return status


def _host_last(words: list[str]) -> list[str]:
    """Let options follow the host, as in `ssh`: what begins after both is the remote command, dashes and all."""
    options: list[str] = []
    rest = words[1:]
    host: list[str] = []
    while rest and (rest[0].startswith("-") or not host):
        word = rest.pop(0)
        if not word.startswith("-"):
            host = [word]
            continue
        options.append(word)
        if word == "--as" and rest:
            options.append(rest.pop(0))
    return ["ssh", *options, *host, *rest]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="Real test hosts on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    bake = commands.add_parser("image", help="bake the host image, if the cache has none")
    bake.add_argument("--refresh", action="store_true", help="bake even if the cache has one")
    bake.set_defaults(command=_image)

    up = commands.add_parser("up", help="start hosts; those that run already are left alone")
    up.add_argument(
        "names", nargs="*", metavar="SHORT", help="the hosts' names after the prefix (default: 1 to N)"
    )
    up.add_argument("--name", default=DEFAULT, metavar="PREFIX", help="the lab's name (default: %(default)s)")
    up.add_argument("--n", type=int, default=1, help="how many hosts (default: %(default)s)")
    up.add_argument(
        "--console", action="append", default=[], metavar="SHORT", help="a host with root's console"
    )
    up.add_argument(
        "--state-size", metavar="SIZE", help="a tmpfs of this size at /var/lib/hostseal, e.g. 16M"
    )
    up.add_argument("--max-startups", metavar="A:B:C", help="sshd's MaxStartups")
    up.set_defaults(command=_up)

    down = commands.add_parser("down", help="remove labs or hosts and what crashed runs left")
    down.add_argument("names", nargs="*", default=[DEFAULT], metavar="NAME", help="labs, hosts, or all")
    down.set_defaults(command=_down)

    show = commands.add_parser("list", help="show the hosts")
    show.add_argument("--name", metavar="PREFIX", help="only this lab's")
    show.add_argument("--json", action="store_true", help="for programs")
    show.set_defaults(command=_list)

    login = commands.add_parser("ssh", help="log in, or run a command")
    login.add_argument("host")
    login.add_argument("--as", dest="user", choices=USERS, default="alice", help="default: %(default)s")
    login.add_argument("-t", dest="pty", action="store_true", help="with a terminal on the host")
    login.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    login.set_defaults(command=_ssh)

    console = commands.add_parser("console", help="root's console of a host that has one")
    console.add_argument("host")
    console.set_defaults(command=_console)
    return parser


def _image(arguments: argparse.Namespace) -> int:
    require_root()
    baked = image.ensure(Progress(), refresh=arguments.refresh)
    print(f"{baked.digest} {baked.folder}")
    return 0


def _up(arguments: argparse.Namespace) -> int:
    names: list[str] = arguments.names or [str(number) for number in range(1, arguments.n + 1)]
    wanted = [*names, *(name for name in arguments.console if name not in names)]
    lab = Lab(arguments.name)
    plain = HostOptions(state_size=arguments.state_size, max_startups=arguments.max_startups)
    special = HostOptions(console=True, state_size=arguments.state_size, max_startups=arguments.max_startups)
    hosts = lab.up([name for name in wanted if name not in arguments.console], options=plain)
    if arguments.console:
        hosts += lab.up(arguments.console, options=special)
    for host in hosts:
        print(f"{host.name}  {host.address}")
    config = ssh_config(lab.prefix)
    print(f"as a person:    ssh -F {config} alice@{hosts[0].name}")
    print(f"as automation:  ssh -F {config} {AUTOMATION}@{hosts[0].name}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    known = lab_names()
    for name in known if arguments.names == ["all"] else arguments.names:
        if name in known or not any(name.startswith(f"{lab}-") for lab in known):
            Lab(name).down()
        else:
            for lab in known:
                if any(host.name == name for host in Lab(lab).hosts()):
                    Lab(lab).down([name])
    return 0


def _list(arguments: argparse.Namespace) -> int:
    labs = all_labs() if arguments.name is None else [Lab(arguments.name)]
    hosts = [host for lab in labs for host in lab.hosts()]
    if arguments.json:
        print(json.dumps([host.describe() for host in hosts], indent=1))
        return 0
    for host in hosts:
        print(f"{host.name:<30} {host.address:<15} {host.state()}")
    return 0


def _ssh(arguments: argparse.Namespace) -> int:
    host = _find(arguments.host)
    words = host.exec_ssh(arguments.user, arguments.words, pty=arguments.pty)
    os.execvp(words[0], list(words))


def _console(arguments: argparse.Namespace) -> int:
    attach(_find(arguments.host).record.folder / SOCKET)
    return 0


def _find(name: str) -> Host:
    for lab in all_labs():
        for host in lab.hosts():
            if host.name == name:
                return host
    raise LabError(f"there is no host {name}", "lab list shows the hosts")
