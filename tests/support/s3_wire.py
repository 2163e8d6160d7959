"""A wire to an S3 server that a test can cut, stall, shorten and answer by itself: a proxy that knows HTTP."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

from tests.support.s3_servers import S3Server


@dataclass
class Fault:
    """What goes wrong, and how often.

    Attributes:
        kind: `answer` without asking the server; `cut request` or `cut response` after `at` bytes of the body;
            `lose` the response of a request that was carried out; `stall` before the response; `drip` it, ten bytes a
            second; `shorten` a body to `at` bytes and say that this is its length.
        methods: of HTTP, which it applies to.
        times: how often; None for ever.
        passing: so many requests of these methods pass before.
        answer: status, headers and body.
    """

    kind: Literal["answer", "cut request", "cut response", "lose", "stall", "drip", "shorten"]
    methods: tuple[str, ...] = ("GET", "PUT", "HEAD", "DELETE", "POST")
    times: int | None = 1
    passing: int = 0
    at: int = 0
    answer: tuple[int, Mapping[str, str], bytes] = (500, {}, b"")
    fired: int = 0


def refusal(status: int, code: str, message: str = "said so", more: str = "") -> tuple[int, Mapping[str, str], bytes]:
    """An error as S3 words it."""
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>'
    return status, {"Content-Type": "application/xml"}, body.encode()


@dataclass
class S3Wire:
    """The proxy.

    Attributes:
        server: the way to the server through it.
        requests: the methods and paths that came, in order.
        headers: those of the last request.
        dropped: headers that do not reach the server, in lower case.
        release: ends every stall.
    """

    server: S3Server
    backend: str
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    release: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def plant(self, *faults: Fault) -> None:
        """From now on these happen, each to the first requests that it applies to."""
        self.faults += [replace(each) for each in faults]

    def count(self, *methods: str) -> int:
        """How many requests of these methods came."""
        return sum(method in methods for method, _ in self.requests)

    def _take(self, method: str, path: str) -> Fault | None:
        with self._turn:
            self.requests.append((method, path))
            for fault in self.faults:
                if method not in fault.methods or (fault.times is not None and fault.fired >= fault.times):
                    continue
                if fault.passing:
                    fault.passing -= 1
                    continue
                fault.fired += 1
                return fault
        return None


@contextmanager
def s3_wire(server: S3Server) -> Iterator[S3Wire]:
    """A wire before the server. Leaving it asserts that every planted fault happened as often as planted."""
    wire: S3Wire

    class Handler(_Handler):
        def wire(self) -> S3Wire:
            return wire

    class Door(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what these tests are about."""

    with Door(("127.0.0.1", 0), Handler) as door:
        wire = S3Wire(S3Server(f"http://127.0.0.1:{door.server_address[1]}"), server.url)
        threading.Thread(target=door.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield wire
        finally:
            wire.release.set()
            door.shutdown()
    idle = [fault for fault in wire.faults if fault.fired < (1 if fault.times is None else fault.times)]
    assert not idle, f"planted faults never happened: {idle}"


def offsets(length: int, count: int, *, seed: int = 7) -> list[int]:
    """Where to cut a body of this length: both ends, and places between."""
    between = random.Random(seed)
    return [0, 1, length - 1, *(between.randrange(1, length) for _ in range(count))]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def wire(self) -> S3Wire:
        raise NotImplementedError

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        fault = self.wire()._take(self.command, self.path)
        self.wire().headers = {name.lower(): value for name, value in self.headers.items()}
        length = int(self.headers.get("Content-Length") or 0)
        kind = fault.kind if fault else None
        if fault and kind == "cut request":
            self.rfile.read(min(fault.at, length))
            return self._reset()
        body = self.rfile.read(length)
        if fault and kind == "answer":
            return self._send(*fault.answer)
        if fault and kind == "stall":
            self.wire().release.wait(60)
            return self._reset()
        status, headers, content = self._forward(body)
        if kind == "lose":
            return self._reset()
        if fault and kind == "shorten":
            content = content[: fault.at]
            headers = {k: v for k, v in headers.items() if k.lower() != "content-length"}
        if kind == "drip":
            return self._drip(status, headers, content)
        self._send(status, headers, content, cut_at=fault.at if fault and kind == "cut response" else None)
        return None

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve  # noqa: N815 - http.server calls these

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(self.wire().backend)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() in self.wire().dropped:
                    continue
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            headers = {k: v for k, v in answer.getheaders() if k.lower() not in {"connection", "transfer-encoding"}}
            return answer.status, headers, answer.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: Mapping[str, str], content: bytes, *, cut_at: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in {name.lower() for name in headers}:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):
            if self.command != "HEAD":
                self.wfile.write(content if cut_at is None else content[:cut_at])
            self.wfile.flush()
        if cut_at is not None:
            self._reset()

    def _drip(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self._send(status, {**headers, "Content-Length": str(len(content))}, b"")
        with suppress(OSError):
            for at in range(len(content)):
                self.wfile.write(content[at : at + 1])
                self.wfile.flush()
                if self.wire().release.wait(0.1):
                    break
        self._reset()

    def _reset(self) -> None:
        """Hang up so that the other side hears a reset, not an end."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
