"""What a policy may call: all that OPA has, but for what would make the same record decide otherwise tomorrow.

`python -m hostseal.policy.capabilities` prints the file of the OPA that is installed, `policies/capabilities.json`.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hostseal.errors import PolicyError

FILE = "capabilities.json"
SECONDS = 30

FORBIDDEN = {
    "crypto.x509.parse_and_verify_certificates": "it reads the clock",
    "crypto.x509.parse_and_verify_certificates_with_options": "it reads the clock unless it is told the time",
    "http.send": "it asks the network",
    "io.jwt.decode_verify": "it reads the clock",
    "io.jwt.encode_sign": "its signatures differ from call to call",
    "io.jwt.encode_sign_raw": "its signatures differ from call to call",
    "net.lookup_ip_addr": "it asks the network",
    "opa.runtime": "it reads OPA's environment",
    "rand.intn": "it is random",
    "time.now_ns": "it reads the clock",
    "uuid.rfc4122": "it is random",
}
"""The builtins no policy may call, and why."""


def of(opa: Path) -> str:
    """Return what `opa` can do without what is forbidden, a builtin a line; PolicyError when it does not say.

    No schema is fetched either: `allow_net` names no host.
    """
    try:
        done = subprocess.run(
            [str(opa), "capabilities", "--current"], capture_output=True, timeout=SECONDS, check=True
        )
        current = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise PolicyError(f"opa does not say what it can do: {error}", hint=str(opa)) from error
    return "\n".join(_lines(current)) + "\n"


def _lines(current: dict[str, Any]) -> Iterator[str]:
    allowed = [_plain(one) for one in current["builtins"] if one["name"] not in FORBIDDEN]
    rest = {key: current[key] for key in sorted(current) if key != "builtins"} | {"allow_net": []}
    yield "{"
    yield from (f'  "{key}": {json.dumps(value)},' for key, value in sorted(rest.items()))
    yield '  "builtins": ['
    yield ",\n".join(f"    {json.dumps(one, sort_keys=True)}" for one in allowed)
    yield "  ]"
    yield "}"


def _plain(value: Any) -> Any:
    """Return the value without the words that only people read."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in {"description", "categories"}}
    return [_plain(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    from hostseal.trial import opa_child

    sys.stdout.write(of(opa_child.find()))
