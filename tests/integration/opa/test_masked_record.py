"""A masked decision in a real ledger: its chain holds, it says what was taken out, and it is decided the same again."""

import json
import subprocess
from pathlib import Path

from e2e.record import wait_until
from integration.ledger.conftest import UploadingOpa
from integration.ledger.server import HOSTSEAL, LedgerServer

PLAY = "/v1/data/hostseal/play/decision"
SECRET = "p4ssw0rd-of-the-test"
JOB = {"id": 70, "name": "Patch", "extra_vars": {"password": SECRET}, "credentials": [{"inputs": SECRET}], "job_type": "run"}  # fmt: skip


def test_a_masked_decision_is_whole_in_the_ledger_and_can_be_replayed(
    tmp_path: Path, policy: tuple[Path, Path]
) -> None:
    (tmp_path / "ledger").mkdir()
    with LedgerServer(tmp_path / "ledger") as ledger:
        opa = UploadingOpa(tmp_path / "web-1", *policy, ledger, ledger.token("web-1"))
        with opa:
            opa.wait_for(200)
            asked = opa.ask(PLAY, {"input": JOB})[1]

            def found() -> dict[str, object] | None:
                with ledger.book() as book:
                    bodies = [record.body for record in book.records() if record.kind == "decision"]
                return next((body for body in bodies if body["decision_id"] == asked["decision_id"]), None)

            entry = wait_until(found, what="the decision is in the ledger")
            again = opa.ask(PLAY, {"input": entry["input"]})[1]
        assert set(entry["erased"]) == {"/input/extra_vars", "/input/credentials"}  # type: ignore[call-overload]
        assert SECRET not in json.dumps(entry)
        assert (entry.get("result"), entry["input"]) == (
            again.get("result"),
            {key: JOB[key] for key in ("id", "name", "job_type")},
        )
    # It signs a checkpoint when it is stopped.
    command = [HOSTSEAL, "ledger", "verify", "--data", ledger.data]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    stored = b"".join(path.read_bytes() for path in ledger.data.rglob("*") if path.is_file())
    assert SECRET.encode() not in stored
