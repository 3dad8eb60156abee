"""Real OPAs post to a real ledger that is killed and started again in the middle: each decision is there once."""

import threading
from collections import Counter
from pathlib import Path

from e2e.record import wait_until
from integration.ledger.conftest import UploadingOpa, event
from integration.ledger.server import LedgerServer

HOSTS = ("web-1-g1", "web-2-g1")
ROUNDS, EACH = 3, 60
STANDING = {"state": "sealed", "incident": None}


def test_each_decision_of_two_hosts_is_there_once_though_the_ledger_is_killed(
    tmp_path: Path, ledger: LedgerServer, policy: tuple[Path, Path]
) -> None:
    opas = {host: UploadingOpa(tmp_path / host, *policy, ledger, ledger.token(host)) for host in HOSTS}
    asked: dict[str, list[str]] = {host: [] for host in HOSTS}

    def ask(host: str, begin: int) -> None:
        for number in range(begin, begin + EACH):
            asked[host].append(opas[host].decide(event(host, number), STANDING)["decision_id"])

    with opas[HOSTS[0]], opas[HOSTS[1]]:
        for opa in opas.values():
            opa.wait_for(200)
        for number in range(ROUNDS):
            askers = [threading.Thread(target=ask, args=(host, 1 + number * EACH)) for host in HOSTS]
            for asker in askers:
                asker.start()
            ledger.kill()
            for asker in askers:
                asker.join()
            ledger.start()

        def there() -> bool:
            with ledger.book() as book:
                found = {(record.host, record.id) for record in book.records() if record.kind == "decision"}
            return found >= {(host, name) for host in HOSTS for name in asked[host]}

        wait_until(there, what="every decision is in the ledger")
    with ledger.book() as book:
        counted = Counter((record.host, record.id) for record in book.records() if record.kind == "decision")
        assert counted == Counter((host, name) for host in HOSTS for name in asked[host])
        record = next(record for record in book.records() if record.kind == "decision")
    assert record.body["input"]["event"]["host"]["name"] == record.host
    assert (record.type, record.ref) == ("session.channel", record.body["input"]["event"]["id"])
    assert record.rules == ("interactive_session",)
