"""A ledger that trickles its answer does not hold the agent: the whole exchange has a deadline."""

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from hostseal.config.settings import LedgerSettings
from hostseal.errors import UplinkError
from hostseal.uplink import client
from integration.ledger.server import LedgerServer


def test_an_answer_that_trickles_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "EXCHANGE_SECONDS", 1.0)
    files = LedgerServer(tmp_path)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def trickle() -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files.certificate, tmp_path / "ledger.key")
            raw, _ = listener.accept()
            with context.wrap_socket(raw, server_side=True) as connection:
                connection.recv(65536)
                while not stop.wait(0.2):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        settings = LedgerSettings(
            url=f"https://127.0.0.1:{port}", ca=str(files.certificate), token_file=str(tmp_path / "none")
        )
        began = time.monotonic()
        with pytest.raises(UplinkError):
            client.LedgerClient(settings).introduce({}, "0" * 64)
        assert time.monotonic() - began < 8.0
        stop.set()
        thread.join(5)
