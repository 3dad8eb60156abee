"""Each key of the ledger is rotated while everything goes on (docs/reference/keys.md)."""

from pathlib import Path

from e2e.record import wait_until
from hostseal.ledger import checkpoints
from hostseal.ledger.search import Query
from hostseal.ledger.verify import verify
from integration.ledger.conftest import UploadingOpa, event
from integration.ledger.server import LedgerServer, write_key
from integration.ledger.test_posts import HOST, decision

STANDING = {"state": "sealed", "incident": None}


def test_a_new_checkpoint_key_signs_on_and_the_former_one_is_still_believed(ledger: LedgerServer) -> None:
    token = ledger.token(HOST)
    ledger.post("/logs", token, [decision("before")])
    ledger.stop()
    write_key(ledger.folder / "checkpoint.key")
    ledger.start()
    ledger.post("/logs", token, [decision("after")])
    ledger.stop()
    files = sorted((ledger.data / "keys").glob("*.pub"))
    newest = checkpoints.private_key(ledger.folder / "checkpoint.key").public_key()
    keys = checkpoints.public_keys(files)
    assert len(keys) == 2
    report = verify(ledger.data / "ledger.db", keys, [])
    assert (report.findings, report.checkpoints, report.signed) == ((), 2, report.head.count)
    only = {name: key for name, key in keys.items() if key == newest}
    [finding] = verify(ledger.data / "ledger.db", only, []).findings
    assert (finding.trouble, "not among the given ones" in finding.says) == ("checkpoint", True)


def test_a_hosts_token_is_replaced_under_a_running_opa(
    tmp_path: Path, ledger: LedgerServer, policy: tuple[Path, Path]
) -> None:
    opa = UploadingOpa(tmp_path / "opa", *policy, ledger, ledger.token(HOST))

    def arrives(number: int) -> None:
        name = opa.decide(event(HOST, number), STANDING)["decision_id"]

        def there() -> bool:
            with ledger.book() as book:
                return any(record.id == name for record in book.records(Query(kind="decision")))

        wait_until(there, what="the decision is in the ledger")

    with opa:
        opa.wait_for(200)
        arrives(1)
        fresh = ledger.token(HOST)
        (tmp_path / "opa" / "token").write_text(fresh)
        arrives(2)
        with ledger.book() as book:
            assert book.revoke_tokens(HOST, [book.tokens()[-1].sha256]) == 1
        arrives(3)
    with ledger.book() as book:
        assert [record.type for record in book.records(Query(kind="token"))] == ["added", "added", "revoked"]
