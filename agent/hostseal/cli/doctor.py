"""`hostseal doctor`: what this machine can do for the agent, which choice follows, and why."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from hostseal import trust
from hostseal.cli.control import NotRunningError, ask
from hostseal.cli.duration import DURATION
from hostseal.cli.exit_codes import ExitCode
from hostseal.config.load import drop_ins, load
from hostseal.config.settings import Settings
from hostseal.core.text import shown
from hostseal.errors import HostsealError, NoAnswerError, SealError

_ADMITS = "test $? -ne 77]"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    check: str
    ok: bool
    says: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
@click.option(
    "--learn",
    type=DURATION,
    metavar="TIME",
    help="Instead: watch for so long (90s, 10m, 1h), then propose classes of files that change by design.",
)
@click.option(
    "--state", type=click.Path(path_type=Path), help="The agent's state directory, where it is not the usual."
)
def doctor(as_json: bool, learn: float | None, state: Path | None) -> None:
    """Check settings, file sensor, OPA, PAM, sshd and playbooks; exit 1 if anything is wrong."""
    settings = load(drop_ins())
    if learn is not None:
        from hostseal.cli.learn import watch

        watch(settings, state or settings.state, learn, as_json=as_json)
        return
    checks: tuple[tuple[str, Callable[[Settings], str]], ...] = (
        ("settings", lambda _: f"{len(drop_ins())} file(s)"),
        ("file sensor", _file_sensor),
        ("seal", _seal),
        ("opa", _opa),
        ("agent", _agent),
        ("pam", _pam),
        ("revoked keys", _revoked_keys),
        ("playbooks", _playbooks),
    )
    findings = [_look(name, check, settings) for name, check in checks]
    if as_json:
        click.echo(msgspec.json.encode(findings).decode())
    else:
        for finding in findings:
            click.echo(f"{'ok ' if finding.ok else 'BAD'}  {finding.check:<12} {shown(finding.says)}")
    sys.exit(ExitCode.OK if all(finding.ok for finding in findings) else ExitCode.FAILED)


def _look(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(check=name, ok=True, says=check(settings))
    except (HostsealError, OSError) as error:
        return Finding(check=name, ok=False, says=str(error))


def _file_sensor(settings: Settings) -> str:
    from hostseal.sensors.file_choice import choose

    return choose(settings.files)[1]


def _seal(settings: Settings) -> str:
    """A manifest that cannot be believed is wrong; a host that was not made from an image has none, which is said."""
    from hostseal import host_identity, keys
    from hostseal.seal.reading import Reader

    manifest, image = Path(settings.seal.manifest), host_identity.read(settings.agent.name).image
    if not settings.seal.manifest or not manifest.exists():
        if image is not None:
            raise SealError("this host has no manifest, and it was made from an image", hint=str(manifest))
        return "this host has no manifest: every change of a watched file counts as one of an unsealed file"
    with Reader.open(manifest, keys.public_key(Path(settings.seal.public_key))) as reader:
        header = reader.header
    if image not in {None, header.image}:
        raise SealError(f"the manifest is of {header.image}, and this host was made from {image}")
    return f"{manifest} is believed: {header.entries} paths of {header.image}"


def _opa(settings: Settings) -> str:
    from hostseal.policy.engine import OpaEngine

    opa = settings.opa
    engine = OpaEngine(
        opa.url, ca=Path(opa.ca), token_file=Path(opa.token_file), timeout_seconds=opa.timeout_seconds
    )
    try:
        engine.check()
    except NoAnswerError as error:
        raise HostsealError(str(error), hint="systemctl status opa") from error
    return f"answers at {opa.url} with its bundle in force"


def _agent(_settings: Settings) -> str:
    try:
        reply = ask({"op": "status"})
    except NotRunningError as error:
        raise HostsealError(error.message, hint=error.hint) from error
    host = reply["host"]
    return (
        f"running, version {reply['version']}, mode {host['mode']}, class {host['class']}:"
        f" {', '.join(sorted(reply['parts']))}"
    )


def _pam(_settings: Settings) -> str:
    stack = Path("/etc/pam.d/sshd").read_text("utf-8")
    lines = [line for line in stack.splitlines() if "pam-hook" in line and not line.lstrip().startswith("#")]
    kinds = {line.split()[0].lstrip("-") for line in lines}
    if kinds != {"account", "session"}:
        raise HostsealError(f"the hook stands in {sorted(kinds) or 'no stack'}, not in account and session")
    if not all(line.rstrip().endswith(_ADMITS) for line in lines):
        raise HostsealError(
            f"a hook's line does not end in {_ADMITS!r}: a broken hook would keep everybody out"
        )
    return "the hook stands in account and session; only its own status 77 refuses"


def _revoked_keys(_settings: Settings) -> str:
    """A list that sshd cannot read keeps out everybody who logs in with a key."""
    import subprocess

    said = subprocess.run(
        ["/usr/sbin/sshd", "-T"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    named = [
        line.split(maxsplit=1)[1] for line in said.stdout.splitlines() if line.startswith("revokedkeys ")
    ]
    if said.returncode or not named:
        raise HostsealError(f"sshd does not say its settings: {said.stderr.strip()[-200:]}", hint="sshd -T")
    if named[0] == "none":
        return "sshd has no list"
    readable = subprocess.run(
        ["ssh-keygen", "-Q", "-l", "-f", named[0]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=10,
        check=False,
    )
    if readable.returncode:
        raise HostsealError(
            "sshd takes no key at all while it cannot read its list of revoked keys",
            hint=f"ssh-keygen -k -f {named[0]} makes an empty one",
        )
    return f"{named[0]} can be read"


def _playbooks(settings: Settings) -> str:
    return f"root's alone: {trust.check_tree(Path(settings.actions.playbooks))}"
