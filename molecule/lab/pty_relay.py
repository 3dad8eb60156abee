"""The supervisor's end of a host's console: a pty for nspawn, a Unix socket for whoever types, a log of all."""

import fcntl
import os
import pty
import select
import socket
import struct
import termios
from pathlib import Path

SOCKET = "console.sock"


class PtyRelay:
    """Copies between one pty and any number of clients of a socket."""

    def __init__(self, folder: Path) -> None:
        """Open the pty and listen on FOLDER/console.sock; the output also goes to FOLDER/console.log."""
        self._master, self.terminal = pty.openpty()  # our end of the terminal stays open over reboots
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))
        self._path = folder / SOCKET
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._path.chmod(0o600)
        self._listener.listen()
        self._clients: list[socket.socket] = []
        self._log = (folder / "console.log").open("ab", buffering=0)

    def descriptors(self) -> list[int | socket.socket]:
        """Return what to select on for reading."""
        return [self._master, self._listener, *self._clients]

    def serve(self, ready: list[int | socket.socket]) -> None:
        """Handle what select found readable."""
        if self._listener in ready:
            client, _ = self._listener.accept()
            client.setblocking(False)
            self._clients.append(client)
        if self._master in ready:
            self._spread(os.read(self._master, 65536))
        for client in [client for client in self._clients if client in ready]:
            self._type(client)

    def close(self) -> None:
        """Let go of everything."""
        while select.select([self._master], [], [], 0)[0]:
            self._spread(os.read(self._master, 65536))
        for client in self._clients:
            client.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)
        self._log.close()

    def _spread(self, output: bytes) -> None:
        self._log.write(output)
        for client in list(self._clients):
            try:
                client.sendall(output)
            except OSError:  # gone, or too slow to read: it is dropped, the host goes on
                self._drop(client)

    def _type(self, client: socket.socket) -> None:
        try:
            typed = client.recv(4096)
        except OSError:
            typed = b""
        if typed:
            os.write(self._master, typed)
        else:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        self._clients.remove(client)
        client.close()
