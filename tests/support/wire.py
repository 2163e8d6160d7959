"""A wire to PostgreSQL that a test can cut at a word: a proxy that reads along."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

Told = Callable[[], object]


@dataclass
class Wire:
    """A proxy before a server's socket.

    Attributes:
        url: the same database through the proxy, as the same user.
        word: what a client must send for something to happen; b"" for never.
        after: what the same client must have sent before; b"" for nothing.
        forward: whether the word still reaches the server.
        then: called when the word was seen, and when it was forwarded after the server's answer, which the client
            never gets: both ends are closed afterwards.
        cuts: how often it happened.
    """

    url: str
    target: str
    after: bytes = b""
    word: bytes = b""
    forward: bool = True
    then: Told = lambda: None
    cuts: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def cut_all(self) -> None:
        """Cut every connection there is."""
        for each in self._open:
            _hang_up(each)

    def _carry(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.target)
        self._open += [client, server]
        cut = threading.Event()
        back = threading.Thread(target=self._carry_back, args=(server, client, cut), daemon=True)
        back.start()
        listens = not self.after
        with contextlib.suppress(OSError):
            while content := client.recv(1 << 16):
                if listens and self.word and self.word in content:
                    cut.set()
                    if self.forward:
                        server.sendall(content)
                        back.join()  # ends with the server's answer
                    else:
                        self.cuts += 1
                        self.then()
                    break
                listens = listens or self.after in content
                server.sendall(content)
        _hang_up(server)
        _hang_up(client)

    def _carry_back(self, server: socket.socket, client: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while content := server.recv(1 << 16):
                if cut.is_set():
                    self.cuts += 1
                    self.then()
                    return
                client.sendall(content)
        _hang_up(client)


@contextlib.contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    """A wire to the server of a URL with a socket folder as host."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    target = f"{asked['host'][0]}/.s.PGSQL.{asked.get('port', ['5432'])[0]}"
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        through = (
            f"{parts.scheme}://{parts.netloc}{parts.path}?host=127.0.0.1&port={port}&sslmode=disable&gssencmode=disable"
        )
        wire = Wire(through, target)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = door.accept()
                    threading.Thread(target=wire._carry, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield wire
        finally:
            wire.cut_all()


def _hang_up(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        each.close()
