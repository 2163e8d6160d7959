"""A store in a bucket of S3, or of a server that speaks its language.

One object is one request: no multipart upload is ever begun, so none is ever left open. Only the credentials of the
recipe are used. obstore does not retry here: `rxbackup.stores.retrying` does, and knows what may be repeated.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import timedelta
from http.client import NOT_FOUND, NOT_IMPLEMENTED
from typing import TYPE_CHECKING, Literal, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store as Client

from rxbackup import __version__
from rxbackup.errors import ObjectNotFound, StoreMisaddressed, StoreTrouble, StoreUnavailable
from rxbackup.stores.base import StoredObject, StoreRecipe, check_name, check_prefix
from rxbackup.stores.s3_address import S3Address, refuse_link_local
from rxbackup.stores.s3_errors import Answer, told

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Credential

# Seconds until a request is given up, from connecting to its last byte. A chunk is 8 MiB at most: 27 KiB/s will do.
_BRIEF_SECONDS = 30
_LONG_SECONDS = 300
_CONNECT_SECONDS = 10
_BRIEF_BYTES = 1 << 18
# How long a bucket that was seen counts as there, when only "404" is heard.
_SEEN_SECONDS = 60
_MARKER = "vault.json"

_Found = TypeVar("_Found")
# The process in which obstore's own threads were started, once they are.
_started_in: list[int] = []


class _Exists(Exception):
    """The server refused a conditional PUT because the object is there."""


class _Unable(Exception):
    """The server said that it has no conditional PUT."""


class S3Store:
    """Objects below one prefix of one bucket, which must exist.

    Calls from several threads run beside each other. A forked child must not use it: the library's own threads are
    not in the child, and it would wait for ever.
    """

    kind = "s3"

    def __init__(self, recipe: StoreRecipe) -> None:
        self._recipe = recipe
        self._address = S3Address.of(recipe.settings)
        self._clients: dict[int, Client] = {}
        self._opening = threading.Lock()
        self._seen_at = -_SEEN_SECONDS * 2.0
        self._conditional = True

    def describe(self) -> str:
        """The place, for people."""
        return self._address.describe()

    def recipe(self) -> StoreRecipe:
        """Opens the same bucket with the same credentials."""
        return self._recipe

    @property
    def emulates_if_absent(self) -> bool:
        """The server said that it cannot put conditionally, so `if_absent` looks first and is not atomic."""
        return not self._conditional

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        """One PUT, with `If-None-Match: *` for `if_absent`."""
        check_name(name)
        if not if_absent:
            self._put(name, content, "overwrite")
            return True
        try:
            return self._put_if_absent(name, content)
        except _Exists:
            return False
        except _Unable:
            # Backblaze B2, for one. Asked once: it will not learn it while we run.
            self._conditional = False
            return self._put_if_absent(name, content)

    def get(self, name: str) -> bytes:
        """The object's bytes."""
        check_name(name)

        def ask(client: Client) -> bytes:
            answer = obstore.get(client, self._address.key(name))
            self._expect_tag(answer.meta["e_tag"], name)
            content = bytes(answer.bytes())
            if len(content) != answer.meta["size"]:
                raise StoreUnavailable(f"{name} in {self.describe()} came in cut short.")
            return content

        return self._call(ask, "read", name, deadline=_LONG_SECONDS)

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The keys below the store's prefix whose names begin with `prefix`, a page at a time."""
        check_prefix(prefix)
        above = self._address.key(prefix).rpartition("/")[0]
        lead = self._address.key("")
        start = lead + prefix
        # The server begins after the offset, so it must lie just before the first name that is wanted.
        offset = start[:-1] if prefix and not prefix.endswith("/") else None
        pages = self._call(
            lambda client: obstore.list(client, above or None, offset=offset, chunk_size=1000), "list", ""
        )
        while (page := self._call(lambda _: next(pages, None), "list", "")) is not None:
            for entry in page:
                if entry["path"].startswith(start):
                    yield StoredObject(entry["path"][len(lead) :], entry["size"], entry["last_modified"])
                elif entry["path"] > start:
                    return

    def stat(self, name: str) -> StoredObject | None:
        """Size and time by HEAD, or None."""
        check_name(name)
        try:
            found = self._call(lambda client: obstore.head(client, self._address.key(name)), "read", name)
        except ObjectNotFound:
            return None
        self._expect_tag(found["e_tag"], name)
        return StoredObject(name, found["size"], found["last_modified"])

    def delete(self, name: str) -> None:
        """One DELETE. A bucket that keeps versions keeps the old ones: see docs/stores.md."""
        check_name(name)
        try:
            self._call(lambda client: obstore.delete(client, self._address.key(name)), "delete", name)
        except ObjectNotFound:
            return

    def close(self) -> None:
        """Drop the connections; the next call makes new ones."""
        with self._opening:
            self._clients.clear()

    def _put_if_absent(self, name: str, content: bytes) -> bool:
        if self._conditional:
            self._put(name, content, "create")
            return True
        if self.stat(name) is not None:
            return False
        self._put(name, content, "overwrite")
        # Small objects are the ones that two could write differently: the marker, a manifest.
        return len(content) > _BRIEF_BYTES or self.get(name) == content

    def _put(self, name: str, content: bytes, mode: Literal["create", "overwrite"]) -> None:
        key = self._address.key(name)
        deadline = _BRIEF_SECONDS if len(content) <= _BRIEF_BYTES else _LONG_SECONDS
        self._call(
            lambda client: obstore.put(client, key, content, mode=mode, use_multipart=False),
            "write" if mode == "overwrite" else "create",
            name,
            deadline=deadline,
        )

    def _expect_tag(self, tag: str | None, name: str) -> None:
        """Refuse an answer that has no ETag: a page for people, not an object."""
        if tag is None:
            raise StoreMisaddressed(f"Cannot read {name} in {self.describe()}: the answer is not that of an S3 server.")

    def _call(
        self, ask: Callable[[Client], _Found], doing: str, name: str, *, deadline: int = _BRIEF_SECONDS
    ) -> _Found:
        client = self._client(deadline)
        try:
            found = _interruptibly(lambda: ask(client))
        except (BaseError, OSError, ValueError) as error:
            # Not chained: what the server says of a wrong signature quotes the session token.
            raise self._trouble(error, doing, name) from None
        self._seen_at = time.monotonic()
        return found

    def _trouble(self, error: Exception, doing: str, name: str) -> Exception:
        answer = Answer.of(error)
        if doing == "create":
            if answer.code in ("ConditionalRequestConflict", "OperationAborted"):
                return StoreUnavailable(f"Somebody else writes {name} in {self.describe()} at this moment.")
            if isinstance(error, AlreadyExistsError):
                return _Exists()
            if answer.status == NOT_IMPLEMENTED:
                return _Unable()
        if answer.is_silent and doing == "read":
            answer = self._explained(answer)
        return told(answer, self.describe(), doing="write" if doing == "create" else doing, name=name)

    def _explained(self, answer: Answer) -> Answer:
        """Answers to HEAD have no body: a small listing tells why, and if it is the bucket that is missing."""
        missing = Answer.of_missing_object()
        if answer.status == NOT_FOUND and time.monotonic() - self._seen_at < _SEEN_SECONDS:
            return missing
        try:
            # Nothing lies below the marker: the answer is empty, or an error with its reason.
            list(obstore.list(self._client(_BRIEF_SECONDS), self._address.key(_MARKER)))
        except (BaseError, OSError, ValueError) as error:
            return Answer.of(error)
        self._seen_at = time.monotonic()
        return missing if answer.status == NOT_FOUND else answer

    def _client(self, deadline: int) -> Client:
        if _started_in and _started_in[0] != os.getpid():
            raise StoreTrouble(
                f"The {self.describe()} cannot be used in a forked process.",
                hint="Start the process anew instead (spawn), and open the store there.",
            )
        with self._opening:
            if deadline not in self._clients:
                if not self._clients and not _is_proxied(self._address):
                    refuse_link_local(self._address.host)
                self._clients[deadline] = _connected(self._address, deadline)
                _started_in[:] = [os.getpid()]
            return self._clients[deadline]


def _interruptibly(ask: Callable[[], _Found]) -> _Found:
    """Let Ctrl-C be heard while the library waits: it comes to the main thread, which must not wait in foreign code."""
    if threading.current_thread() is not threading.main_thread():
        return ask()
    answer: Future[_Found] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            answer.set_exception(error)

    threading.Thread(target=run, name="s3 request", daemon=True).start()
    return answer.result()


def _connected(address: S3Address, deadline: int) -> Client:
    """A client that takes nothing from the environment but a proxy."""
    credential: S3Credential = {
        "access_key_id": address.access_key,
        "secret_access_key": address.secret_key,
        "token": address.session_token or None,
        "expires_at": None,
    }
    options: ClientConfig = {
        "allow_http": address.allow_http,
        "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
        "read_timeout": timedelta(seconds=_BRIEF_SECONDS),
        "timeout": timedelta(seconds=deadline),
        "user_agent": f"rxbackup/{__version__}",
    }
    return Client(
        address.bucket,
        config={
            "aws_endpoint_url_s3": address.endpoint,
            "region": address.region,
            "virtual_hosted_style_request": address.virtual,
            "disable_bulk_delete": True,
            "request_payer": False,
            "s3_express": False,
            "skip_signature": False,
            "unsigned_payload": False,
        },
        client_options={**options, **_held_to(address)},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
        credential_provider=lambda: credential,
    )


def _held_to(address: S3Address) -> ClientConfig:
    """Let requests go to the endpoint's host only, whatever redirects say.

    The library follows redirects of reads and cannot be told not to. So every other host is sent to a proxy that
    cannot exist. Where the environment names a proxy for the endpoint, that one decides instead.
    """
    if _is_proxied(address):
        return {}
    return {"proxy_url": "http://127.0.0.1:0", "proxy_excludes": address.host}


def _is_proxied(address: S3Address) -> bool:
    known = urllib.request.getproxies()
    return bool(known.get(address.scheme) or known.get("all")) and not urllib.request.proxy_bypass(address.host)
