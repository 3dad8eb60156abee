"""Answers sshd's PAM hook: the observation is on disk, and a person's connection makes the host suspect, first."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Any

from hostseal.errors import HostsealError

MESSAGE_LIMIT = 65536
READ_SECONDS = 2.0
AT_ONCE = 64

Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class GateServer:
    """Serves the agent's socket: one JSON line in, one out, for root only, `AT_ONCE` connections at a time."""

    def __init__(self, listener: socket.socket, handle: Handler) -> None:
        self._listener, self._handle = listener, handle
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set and :meth:`close` is called."""
        while not stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if stop.is_set():
                    return
                raise
            self._places.acquire()
            threading.Thread(target=self._serve, args=(connection,), name="gate", daemon=True).start()

    def close(self) -> None:
        """Wake :meth:`run` so that it can end; systemd keeps its own end of the socket open."""
        self._listener.shutdown(socket.SHUT_RDWR)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(READ_SECONDS)
                connection.sendall(json.dumps(self._answer(connection)).encode() + b"\n")
        except OSError:
            return  # the hook has gone, and has left its own record
        finally:
            self._places.release()

    def _answer(self, connection: socket.socket) -> Mapping[str, Any]:
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        if struct.unpack("3i", peer)[1] != 0:
            return {"ok": False, "error": "only root may speak to the agent"}
        line = b""
        while not line.endswith(b"\n"):
            part = connection.recv(4096)
            if not part or len(line) > MESSAGE_LIMIT:
                return {"ok": False, "error": f"a message is one line of at most {MESSAGE_LIMIT} bytes"}
            line += part
        try:
            message = json.loads(line)
            if not isinstance(message, dict):
                return {"ok": False, "error": "a message is an object"}
            return self._handle(message)
        except HostsealError as error:
            return {"ok": False, "error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": f"not understood: {error}"}
