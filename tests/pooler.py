"""A connection pooler for tests: between clients and PostgreSQL it hands server connections around, or does not.

`session` binds a server to each client, `transaction` gives each transaction another one, `tracking` does so too but
carries the search path along, as PgBouncer can.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# What the server answers with "ready": a query, and the end of a message of several parts.
ASKS = (b"Q", b"S")
SSL_REQUEST, GSS_REQUEST, CANCEL = 80877103, 80877104, 80877102


@dataclass(eq=False)
class _Server:
    """One connection to PostgreSQL."""

    raw: socket.socket
    path: str = ""

    def ask(self, query: str) -> None:
        """Run a query of the pooler's own and throw the answer away."""
        text = query.encode() + b"\0"
        self.raw.sendall(b"Q" + struct.pack("!I", len(text) + 4) + text)
        while _message(self.raw)[0] != b"Z":
            continue


@dataclass
class Pooler:
    """Listens on a port of the loopback; `switches` counts how often a client got another server
    than before, `most` is how many servers it keeps."""

    mode: str
    target: Path
    switches: int = 0
    port: int = 0
    most: int = 100
    _idle: list[_Server] = field(default_factory=list)
    _free: threading.Condition = field(default_factory=threading.Condition)
    _open: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._attend, args=(client,), daemon=True).start()

    def close(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.close()

    def _attend(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError):
            server = self._greet(client)
            if server is None:
                return
            if self.mode != "session" and len(self._idle) < self.most:
                self._give_back(server)
            self._relay(client, server)

    def _greet(self, client: socket.socket) -> _Server | None:
        """Open a server for the client's own start-up packet and show it how that went."""
        while True:
            (length,) = struct.unpack("!I", _exactly(client, 4))
            body = _exactly(client, length - 4)
            (code,) = struct.unpack("!I", body[:4])
            if code not in (SSL_REQUEST, GSS_REQUEST):
                break
            client.sendall(b"N")
        if code == CANCEL:
            return None
        raw = socket.socket(socket.AF_UNIX)
        raw.connect(str(self.target))
        self._open.append(raw)
        raw.sendall(struct.pack("!I", length) + body)
        server = _Server(raw)
        while not self._pass_on(client, server):
            continue
        return server

    def _relay(self, client: socket.socket, server: _Server) -> None:
        path = server.path
        while True:
            kind, message = _message(client)
            if kind == b"X":
                return
            if self.mode != "session":
                before, server = server, self._take(avoid=server)
                self.switches += before is not server
                if self.mode == "tracking" and server.path != path:
                    server.ask("SET search_path TO " + (path or "''"))
                    server.path = path
            self._exchange(client, server, message)
            path = server.path
            if self.mode != "session":
                self._give_back(server)

    def _exchange(self, client: socket.socket, server: _Server, message: bytes) -> None:
        """Pass messages on in both directions until no question is open and no transaction either."""
        server.raw.sendall(message)
        asked = int(message[:1] in ASKS)
        while True:
            readable, _, _ = select.select([client, server.raw], [], [])
            if server.raw in readable:
                status = self._pass_on(client, server)
                asked -= int(status != b"")
                if not asked and status == b"I":
                    return
            elif client in readable:
                kind, message = _message(client)
                server.raw.sendall(message)
                asked += int(kind in ASKS)

    def _pass_on(self, client: socket.socket, server: _Server) -> bytes:
        """Give the client one message of the server; returns the transaction's state if it says so."""
        kind, message = _message(server.raw)
        client.sendall(message)
        if kind == b"S":
            name, value, _ = message[5:].split(b"\0", 2)
            if name == b"search_path":
                server.path = value.decode()
        return message[5:6] if kind == b"Z" else b""

    def _take(self, avoid: _Server) -> _Server:
        with self._free:
            self._free.wait_for(lambda: self._idle, timeout=60)
            other = next((each for each in self._idle if each is not avoid), self._idle[0])
            self._idle.remove(other)
            return other

    def _give_back(self, server: _Server) -> None:
        with self._free:
            self._idle.append(server)
            self._free.notify()


def _exactly(source: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = source.recv(count - len(found))
        if not more:
            raise EOFError
        found += more
    return found


def _message(source: socket.socket) -> tuple[bytes, bytes]:
    """Return the kind and the whole of the next message."""
    head = _exactly(source, 5)
    (length,) = struct.unpack("!I", head[1:])
    return head[:1], head + _exactly(source, length - 4)


@contextmanager
def run_pooler(mode: str, sockets: str) -> Iterator[Pooler]:
    """Run a pooler before the server whose socket is in the folder `sockets`."""
    pooler = Pooler(mode, Path(sockets) / ".s.PGSQL.5432")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pooler.port = listener.getsockname()[1]
        threading.Thread(target=pooler.serve, args=(listener,), daemon=True).start()
        try:
            yield pooler
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            pooler.close()
