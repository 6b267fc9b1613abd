"""A relay between a client and the server that cuts the connection at the k-th chunk, in either direction."""

import contextlib
import socket
import threading
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Proxy:
    """Relays until `cut_at` chunks have come, or one that holds `cut_on`; then swallows that one and hangs up.

    While it is `silent` it swallows all, and hangs up nothing: as a network that has gone, but for what the system of
    either end says. So does one connection from the chunk on that holds `swallow_on`. With `away_once_cut` nobody gets
    through any longer, so that it cannot be asked what became of what was cut.

    It listens on loopback, and `conninfo` leads through it. It relays for `room` clients at a time, and lets others
    wait without a word. `chunks` counts what was relayed, `clients` who came.
    """

    def __init__(self, conninfo: str, room: int = 1_000) -> None:
        self._target = conninfo_to_dict(conninfo)
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        self.conninfo = make_conninfo(conninfo, host=host, port=port, sslmode="disable", gssencmode="disable")
        self.room = threading.Semaphore(room)
        self.chunks = self.clients = 0
        self.cut_at: int | None = None
        self.cut_on: bytes | None = None
        self.reachable = True
        self.away_once_cut = False
        self.silent = False
        self.swallow_on: bytes | None = None
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reachable = False
        self.hang_up()
        self.room.release(self.clients + 1)
        for thread in self._threads:
            thread.join()
        for end in self._open:
            end.close()

    def hang_up(self) -> None:
        """End every connection that is open."""
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _server(self) -> socket.socket:
        host, port = str(self._target.get("host") or "/var/run/postgresql"), self._target.get("port") or 5432
        if host.startswith("/"):
            end = socket.socket(socket.AF_UNIX)
            end.connect(f"{host}/.s.PGSQL.{port}")
            return end
        return socket.create_connection((host, int(port)))

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.clients += 1
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with self.room:
            if not self.reachable:
                client.close()
                return
            server = self._server()
            self._open += [client, server]
            mute = threading.Event()
            back = threading.Thread(target=self._relay, args=(server, client, mute))
            back.start()
            self._relay(client, server, mute)
            back.join()

    def _relay(self, source: socket.socket, sink: socket.socket, mute: threading.Event) -> None:
        try:
            while data := source.recv(1 << 16):
                with self._lock:
                    self.chunks += 1
                    cut = self.chunks == self.cut_at or (self.cut_on is not None and self.cut_on in data)
                if cut:
                    self.reachable = self.reachable and not self.away_once_cut
                    break
                if self.swallow_on is not None and self.swallow_on in data:
                    self.swallow_on = None
                    mute.set()
                if not (self.silent or mute.is_set()):
                    sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
