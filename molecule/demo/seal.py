"""The seal, asked for on a host: every file of the image, or what is not as the image has it."""

from demo.timeline import MissingError, Timeline
from lab import Host

AGENT = "/opt/hostseal/bin/hostseal"
_SECONDS = 120
_INTACT, _BROKEN = 0, 8


def intact(timeline: Timeline, host: Host) -> None:
    """Show that the host is as its image; MissingError when it is not."""
    _verify(timeline, host, _INTACT, "intact")


def broken(timeline: Timeline, host: Host, path: str) -> None:
    """Show that the host is not as its image any more, by the content of this one path; MissingError when it is."""
    said = _verify(timeline, host, _BROKEN, path)
    if "1 difference(s)" not in said:
        raise MissingError(f"more than {path} differs: {said}")


def _verify(timeline: Timeline, host: Host, code: int, expected: str) -> str:
    timeline.say("person", f"carol$ ssh deploy@{host.name} sudo hostseal seal verify")
    done = host.ssh("deploy", f"sudo {AGENT} seal verify", timeout=_SECONDS)
    for line in done.stdout.splitlines():
        timeline.say("seal", line)
    if done.returncode != code or expected not in done.stdout:
        raise MissingError(f"the seal is not as it should be: {done.returncode} {done.stdout}{done.stderr}")
    return done.stdout
