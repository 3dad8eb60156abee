"""Answers sshd's PAM hook: the observation is on disk, and a person's connection makes the host suspect, first."""

import json
import select
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Any

from hostseal.errors import HostsealError
from hostseal.sensors import pam_message

MESSAGE_LIMIT = 65536
READ_SECONDS = 2.0
AT_ONCE = 64

Control = Callable[[Mapping[str, Any]], Mapping[str, Any]]
Login = Callable[[pam_message.Login], pam_message.Verdict]


class GateServer:
    """Serves the agent's socket, for root only, `AT_ONCE` connections at a time.

    It takes the PAM hook's logins and answers `ok`, `no` (each with lines for the person after it) or `error WHY`, and
    the command line's questions, one JSON object on a line for another.
    """

    def __init__(self, listener: socket.socket, login: Login, control: Control, *, owner: int = 0) -> None:
        self._listener, self._login, self._control, self._owner = listener, login, control, owner
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
                connection.sendall(self._answer(connection))
        except OSError:
            return  # the hook has gone, and has left its own record
        finally:
            self._places.release()

    def _answer(self, connection: socket.socket) -> bytes:
        message = b""
        while not message.endswith(b"\n" if message.startswith(b"{") else pam_message.END):
            part = connection.recv(MESSAGE_LIMIT)
            message += part
            if not part or len(message) > MESSAGE_LIMIT:
                return _refusal(f"a message has an end, and at most {MESSAGE_LIMIT} bytes")
        # Read first: an answer to a message that lies unread reaches nobody.
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        if struct.unpack("3i", peer)[1] != self._owner:
            return _refusal("only root may speak to the agent")
        if message.startswith(b"{"):
            return self._asked(message)
        # Who waits no longer has done without an answer, and its record says what it did: a verdict now would be untrue.
        return b"" if _gone(connection) else self._told(message)

    def _told(self, block: bytes) -> bytes:
        try:
            return pam_message.answer(self._login(pam_message.parse(block)))
        except (HostsealError, ValueError) as error:
            return b"error " + str(error).replace("\n", " ").encode("utf-8", "replace") + b"\n"

    def _asked(self, line: bytes) -> bytes:
        try:
            return json.dumps(self._control(json.loads(line))).encode() + b"\n"
        except HostsealError as error:
            return _refusal(str(error))
        except (ValueError, KeyError, TypeError) as error:
            return _refusal(f"not understood: {error}")


def _gone(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, 0)  # a hang-up is told without being asked for
    return bool(poll.poll(0))


def _refusal(why: str) -> bytes:
    return json.dumps({"ok": False, "error": why}).encode() + b"\n"
