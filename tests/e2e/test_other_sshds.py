"""The table's core with the OpenSSH of Debian 11 (8.4) and of Debian 13 (10.0, where `sshd-session` serves a connection)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e import clients, record
from e2e.conftest import PREFIX
from e2e.test_clients import FORWARD, SFTP, SHELL, data_of, finished, shown
from lab import Host, Lab, leftovers, other_release
from lab_site import Site, install

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PACKAGES = ("openssh-server", "openssh-client", "openssh-sftp-server")
Client = Callable[[Host, Path], None]


@pytest.fixture(
    scope="module", params=[("bullseye", "OpenSSH_8.4"), ("trixie", "OpenSSH_10.")], ids=lambda p: p[1]
)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with another release's sshd, and the agent."""
    suite, version = request.param
    prefix = f"{PREFIX}-sshd"
    with Lab(prefix) as lab:
        lab.down()
        [found] = lab.up([suite])
        other_release.install(found, suite, PACKAGES)
        assert version in found.peek("ssh -V 2>&1").stdout
        install(Site(tmp_path_factory.mktemp("site"), default_mode="observe"), [found])
        record.wait_for(found, 0, "agent.started")
        yield found
    assert leftovers(prefix) == []


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (clients.interactive, [SHELL]),
        (clients.shell_without_terminal, [("shell_no_pty", None, False, "exact")]),
        (clients.sftp, [SFTP]),
        (clients.local_forward, [FORWARD]),
        (clients.multiplexed, [SHELL, SHELL, ("command", None, False, "exact")]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_login_is_classified_and_confirmed(
    host: Host, tmp_path: Path, client: Client, expected: list[tuple[str, str | None, bool, str]]
) -> None:
    before = record.last_seq(host)
    client(host, tmp_path)
    events = finished(host, before, len(expected))
    assert shown(events) == expected
    [opened] = data_of(events, "session.opened")
    assert all(channel["session"] == opened for channel in data_of(events, "session.channel"))
    assert data_of(events, "witnesses.disagree") == []
