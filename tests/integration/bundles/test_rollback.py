"""An older bundle that the operator signed once comes back: OPA takes it, and the agent tells."""

from pathlib import Path

from e2e.record import wait_until
from integration.bundles.conftest import MONDAY, TUESDAY, WEDNESDAY, Site
from integration.bundles.host_opa import HostOpa
from integration.bundles.test_round_trip import activated, activated_first
from integration.opa.test_watch import Watching

CAUSE = "bundle_rolled_back"


def test_an_older_bundle_is_taken_by_opa_and_told_by_the_agent(site: Site, tmp_path: Path) -> None:
    first = site.build(MONDAY)["revision"]
    yesterdays = site.served().read_bytes()
    host = HostOpa(tmp_path / "host", site.keys, site.server)
    watching = Watching(tmp_path, host)
    with host, watching.running():
        activated_first(host, first)
        second = site.build(TUESDAY, deadline_seconds=601)["revision"]
        activated(host, second)
        wait_until(lambda: watching.watch.revision == second, what="the agent has seen it")
        assert watching.told(CAUSE) == []
        site.served().write_bytes(yesterdays)
        activated(host, first)
        [begun] = wait_until(lambda: watching.told(CAUSE), what="the agent has told")
    assert begun["detail"] == {
        "error": f"{first} is in force, and {second}, which was issued later, was before"
    }
    assert (begun["since"] is not None, begun["until"], begun["rescanned"]) == (True, None, False)
    # The agent that starts again still knows, and tells when it is over.
    again = Watching(tmp_path, host)
    with host, again.running():
        activated_first(host, first)
        wait_until(lambda: again.watch.revision == first, what="the agent has seen it again")
        assert len(again.told(CAUSE)) == 1
        third = site.build(WEDNESDAY, deadline_seconds=602)["revision"]
        activated(host, third)
        [_, over] = wait_until(
            lambda: again.told(CAUSE)[1:] and again.told(CAUSE), what="the agent tells its end"
        )
    assert (over["since"], over["until"] is not None) == (begun["since"], True)
