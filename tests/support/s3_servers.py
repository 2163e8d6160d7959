"""S3 servers on loopback: moto's, and one of another make, each in a thread of the test's process."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rxbackup.stores.base import StoreRecipe

ACCESS_KEY = "AKIDTESTTESTTEST"
SECRET_KEY = "hunter2/hunter2/hunter2"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class S3Server:
    """A server at a URL."""

    url: str

    def new_bucket(self) -> str:
        """Make a bucket of a name of its own."""
        name = f"bucket-{next(_numbers)}"
        self.ask("PUT", f"/{name}")
        return name

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """One request with a signature that nobody checks."""
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            credential = f"{ACCESS_KEY}/20261122/us-east-1/s3/aws4_request"
            signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"}
            connection.request(method, path, body, signed)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status < 300, content
            return content
        finally:
            connection.close()

    def recipe(self, bucket: str, prefix: str = "", **settings: str) -> StoreRecipe:
        """How to open a store there."""
        known = {
            "bucket": bucket,
            "prefix": prefix,
            "endpoint": self.url,
            "allow_http": "1",
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
        }
        return StoreRecipe("s3", known | settings)


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """moto's server: keeps buckets in memory."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()


@contextmanager
def localbucket_server(folder: Path) -> Iterator[S3Server]:
    """LocalBucket: keeps buckets as folders, and shares no code with moto."""
    localbucket = pytest.importorskip("localbucket", reason="there is no second S3 server: pip install .[test]")

    class Handler(localbucket.S3Handler):  # type: ignore[misc, name-defined]
        data_root = folder

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield S3Server(f"http://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()


@pytest.fixture(scope="session")
def no_proxy() -> Iterator[None]:
    """Whatever proxy this machine needs for the world, loopback needs none."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1,localhost")
        yield


@pytest.fixture(scope="session")
def s3_server(no_proxy: None) -> Iterator[S3Server]:
    """moto's server, for the whole session."""
    with moto_server() as server:
        yield server


@pytest.fixture(scope="session")
def other_s3_server(no_proxy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The second implementation, for the whole session."""
    with localbucket_server(tmp_path_factory.mktemp("buckets")) as server:
        yield server
