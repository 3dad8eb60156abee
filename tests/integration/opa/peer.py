"""What a host's OPA talks to, as real HTTP servers and files: a bundle server and a ledger that can be told to refuse."""

import gzip
import hashlib
import http.server
import json
import threading
from pathlib import Path
from typing import Any, Self

from hostseal.config.settings import OpaSettings
from hostseal.trial import opa_child
from policy.opa_server import OpaServer

TOKENS = {"agent": "the-agents-token", "gate": "a-gates-token", "operator": "the-operators-token"}


class Peer:
    """Serves one bundle, and takes decision logs with the status it was told; both may be changed at any time."""

    def __init__(self, bundle: Path) -> None:
        self.bundle, self.log_status = bundle.read_bytes(), 200
        self.taken: list[dict[str, Any]] = []
        self.posted: set[str] = set()
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tag = f'"{hashlib.sha256(peer.bundle).hexdigest()}"'
                same = self.headers.get("If-None-Match") == tag
                self._answer(304 if same else 200, b"" if same else peer.bundle, tag)

            def do_POST(self) -> None:
                peer.posted.add(self.path.lstrip("/"))
                content = self.rfile.read(int(self.headers["Content-Length"]))
                if peer.log_status == 200:
                    peer.taken += json.loads(gzip.decompress(content))
                self._answer(peer.log_status, b"")

            def _answer(self, status: int, body: bytes, tag: str = "") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if tag:
                    self.send_header("ETag", tag)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class HostOpa(OpaServer):
    """An OPA as a host has it: a token for each client, its bundle and its ledger from a peer, its status to be read."""

    def __init__(self, folder: Path, peer: Peer, bundle: Path, public: Path, reporting: str = "") -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(opa_child.find(), folder, bundle, public)
        digests = {client: hashlib.sha256(token.encode()).hexdigest() for client, token in TOKENS.items()}
        local = {
            "token_sha256": digests["agent"],
            "clients": {client: {"token_sha256": digest} for client, digest in digests.items()},
        }
        (folder / "authz.json").write_text(json.dumps({"hostseal_local": local}))
        (folder / "token").write_text(TOKENS["agent"])
        config = folder / "opa.yaml"
        served = "service: peer\n    resource: bundle.tar.gz\n    polling: {min_delay_seconds: 1, max_delay_seconds: 1}"
        config.write_text(
            config.read_text().replace(f"resource: file://{bundle}", served)
            + "  service: peer\n"
            + f"  reporting: {{min_delay_seconds: 1, max_delay_seconds: 1{reporting}}}\n"
            + f"services:\n  peer:\n    url: {peer.url}\n    response_header_timeout_seconds: 5\n"
            + "status:\n  prometheus: true\n"
        )

    @property
    def settings(self) -> OpaSettings:
        """The agent's settings for this OPA."""
        return OpaSettings(
            url=f"https://127.0.0.1:{self.port}",
            ca=str(self.folder / "server.pem"),
            token_file=str(self.folder / "token"),
            timeout_seconds=5.0,
            watch_seconds=0.2,
        )

    def agent(self, path: str, body: object = None, method: str = "POST") -> tuple[int, Any]:
        """Return status and answer, asked with the agent's token."""
        return self.ask(path, body, token=TOKENS["agent"], method=method)
