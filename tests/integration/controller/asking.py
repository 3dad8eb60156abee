"""Asks as AWX does (awx/main/tasks/policy.py): its client, its headers, and what it makes of the answer."""

from pathlib import Path
from typing import Any, NamedTuple

import requests
from opa_client.opa import OpaClient


class Verdict(NamedTuple):
    """Whether the controller starts the job, and what stands in the job's output if it does not."""

    starts: bool
    violations: tuple[str, ...] = ()
    error: str = ""


def ask(port: int, ca: Path, token: str, job: Any, path: str = "hostseal/play/decision") -> Verdict:
    """Return what becomes of a job. Any error is one of the controller's own: it fails closed."""
    with OpaClient(
        host="127.0.0.1", port=port, headers={"Authorization": f"Bearer {token}"}, ssl=True, timeout=1.5, retries=2
    ) as client:  # fmt: skip
        client._session.verify = str(ca)
        client._session.trust_env = False
        try:
            result = client.query_rule(input_data=job, package_path=path).get("result")
        except (requests.RequestException, ValueError) as error:
            return Verdict(False, error=type(error).__name__)
    if result is None:
        return Verdict(False, error="undefined")
    allowed, violations = result.get("allowed"), result.get("violations")
    valid = isinstance(allowed, bool) and isinstance(violations, list)
    if not valid or not all(isinstance(one, str) and one.strip() for one in violations):
        return Verdict(False, error="invalid result")
    # A refusal that names no violation lets the job run.
    return Verdict(allowed or not violations, tuple(violations))
