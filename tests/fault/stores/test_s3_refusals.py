"""A bucket that is not there, not ours, elsewhere, full or no bucket at all: said once, and nothing is begun there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from rxbackup.errors import (
    ObjectNotFound,
    RxbackupError,
    StoreDenied,
    StoreFull,
    StoreMisaddressed,
    StoreMissing,
    StoreNotWritable,
    StoreTrouble,
    StoreUnavailable,
)
from rxbackup.stores.base import Store, StoreRecipe
from rxbackup.stores.opening import open_store
from rxbackup.stores.retrying import RetryingStore
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.vault import Vault
from tests.support.s3_servers import ACCESS_KEY, SECRET_KEY, S3Server
from tests.support.s3_wire import Fault, S3Wire, refusal, s3_wire
from tests.support.vaults import column, manifest, table

READS: dict[str, Callable[[Store], object]] = {
    "get": lambda store: store.get("a"),
    "stat": lambda store: store.stat("a"),
    "list": lambda store: list(store.list()),
}
WRITES: dict[str, Callable[[Store], object]] = {
    "put": lambda store: store.put("a", b"1"),
    "put if absent": lambda store: store.put("a", b"1", if_absent=True),
}
DELETES: dict[str, Callable[[Store], object]] = {"delete": lambda store: store.delete("a")}
ALL = READS | WRITES | DELETES

HERE = "<Region>eu-west-1</Region>"
# What AWS answers, kind of error, words for people.
ANSWERS = {
    "unknown key": (refusal(403, "InvalidAccessKeyId"), StoreDenied, "does not know the access key"),
    "wrong secret": (refusal(403, "SignatureDoesNotMatch"), StoreDenied, "the secret key is not right"),
    "expired": (refusal(400, "ExpiredToken"), StoreDenied, "credentials have expired"),
    "bad token": (refusal(400, "InvalidToken"), StoreDenied, "refuses the session token"),
    "clock": (refusal(403, "RequestTimeTooSkewed"), StoreDenied, "clock is wrong"),
    "no bucket": (refusal(404, "NoSuchBucket"), StoreMissing, "does not exist"),
    "region": (refusal(400, "AuthorizationHeaderMalformed", more=HERE), StoreMisaddressed, "its region is eu-west-1"),
    "redirect": (refusal(301, "PermanentRedirect"), StoreMisaddressed, "in another region"),
    "not S3": ((404, {"Content-Type": "text/html"}, b"<html>Not found</html>"), StoreMisaddressed, "unlike an S3"),
    "nobody": ((401, {}, b""), (StoreDenied, StoreNotWritable), "does not let these credentials"),
}


@pytest.fixture
def wire(s3_server: S3Server) -> Iterator[S3Wire]:
    with s3_wire(s3_server) as wire:
        yield wire


@pytest.fixture
def recipe(wire: S3Wire, s3_server: S3Server) -> StoreRecipe:
    return wire.server.recipe(s3_server.new_bucket(), session_token="hunter3")


@pytest.mark.parametrize("verb", ALL)
@pytest.mark.parametrize("case", ANSWERS)
def test_refusal_is_told_once_and_not_asked_again(recipe: StoreRecipe, wire: S3Wire, verb: str, case: str) -> None:
    answer, kind, words = ANSWERS[case]
    wire.plant(Fault("answer", times=None, answer=answer))
    with pytest.raises(kind, match=words) as caught:
        ALL[verb](open_store(recipe))
    assert recipe.settings["bucket"] in caught.value.message
    assert len(wire.requests) <= 2, "a retry storm"
    _tells_no_secret(caught.value)


@pytest.mark.parametrize("case", ANSWERS)
def test_nothing_is_initialised_where_the_answer_was_a_refusal(recipe: StoreRecipe, wire: S3Wire, case: str) -> None:
    answer, kind, _ = ANSWERS[case]
    wire.plant(Fault("answer", times=None, answer=answer))
    with pytest.raises(kind):
        Vault.open_or_create(open_store(recipe), Keyring.generate())
    assert wire.count("PUT", "POST", "DELETE") == 0


@pytest.mark.parametrize("verb", ALL)
def test_missing_right_is_named(recipe: StoreRecipe, wire: S3Wire, verb: str) -> None:
    wire.plant(Fault("answer", times=None, answer=refusal(403, "AccessDenied", "Access Denied")))
    right = {"list": "s3:ListBucket", "delete": "s3:DeleteObject"}.get(
        verb
    ) or f"s3:{'Get' if verb in READS else 'Put'}Object"
    with pytest.raises(StoreDenied if verb in READS else StoreNotWritable, match="AccessDenied: Access Denied") as told:
        ALL[verb](open_store(recipe))
    assert right in told.value.hint
    assert len(wire.requests) <= 2


@pytest.mark.parametrize("answer", [refusal(507, "XMinioStorageFull"), refusal(403, "QuotaExceeded")])
def test_full_store_is_told(recipe: StoreRecipe, wire: S3Wire, answer: tuple[int, dict[str, str], bytes]) -> None:
    wire.plant(Fault("answer", ("PUT",), times=2, answer=answer))
    store = open_store(recipe)
    for write in WRITES.values():
        with pytest.raises(StoreFull, match="is full"):
            write(store)
    assert wire.count("PUT") == 2


def test_credentials_that_expire_in_the_middle_complete_nothing(recipe: StoreRecipe, wire: S3Wire) -> None:
    vault = Vault.create(open_store(recipe), Keyring.generate())
    kept = table(vault, "kept", [column("a")], [b"1\n2\n"])
    vault.put_manifest(first := manifest(vault, [kept]))
    wire.plant(Fault("answer", times=None, answer=refusal(400, "ExpiredToken")))
    with pytest.raises(StoreDenied, match="expired"):
        vault.put_chunk(b"3\n")
    with pytest.raises(StoreDenied, match="expired"):
        vault.put_manifest(manifest(vault, [kept]))
    with pytest.raises(StoreDenied, match="expired"):
        vault.delete_manifest(first.backup_id)
    with pytest.raises(StoreDenied, match="expired"):
        vault.manifest_ids()
    wire.faults.clear()
    assert vault.manifest_ids() == [first.backup_id]


def test_bucket_that_goes_in_the_middle_is_not_made_again(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    store = open_store(s3_server.recipe(bucket))
    vault = Vault.create(store, Keyring.generate())
    kept = table(vault, "kept", [column("a")], [b"1\n2\n"])
    for found in store.list():
        store.delete(found.name)
    s3_server.ask("DELETE", f"/{bucket}")
    calls: list[Callable[[], object]] = [
        lambda: vault.put_chunk(b"3\n"),
        lambda: vault.put_manifest(manifest(vault, [kept])),
        lambda: vault.get_chunk(kept.segments[0].chunks[0]),
        vault.manifest_ids,
        lambda: vault.delete_manifest(manifest(vault, [kept]).backup_id),
        lambda: Vault.open_or_create(open_store(s3_server.recipe(bucket)), Keyring.generate()),
    ]
    for call in calls:
        with pytest.raises(StoreMissing, match=f"{bucket} .*does not exist"):
            call()
    assert b"NoSuchBucket" in _raw(s3_server, "GET", f"/{bucket}")


def test_missing_object_and_missing_bucket_are_told_apart_by_head(recipe: StoreRecipe, s3_server: S3Server) -> None:
    assert open_store(recipe).stat("a") is None
    with pytest.raises(StoreMissing):
        open_store(s3_server.recipe("never-made")).stat("a")


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b""]
)
def test_server_of_another_kind_is_told(said: bytes) -> None:
    with _speaker(said) as url:
        recipe = S3Server(url).recipe("bucket")
        store = RetryingStore(open_store(recipe, patient=False), sleep=lambda _: None, patience=1)
        with pytest.raises((StoreUnavailable, StoreMisaddressed)):
            Vault.open_or_create(store, Keyring.generate())


@pytest.mark.parametrize("verb", ["put", "put if absent", "stat", "delete"])
def test_page_for_people_is_no_s3(recipe: StoreRecipe, wire: S3Wire, verb: str) -> None:
    wire.plant(Fault("answer", times=None, answer=(200, {"Content-Type": "text/html"}, b"<html>Welcome</html>")))
    if verb == "delete":  # any success is one
        return ALL[verb](open_store(recipe))
    with pytest.raises(StoreMisaddressed, match="not that of an S3 server"):
        ALL[verb](open_store(recipe))
    return None


def test_page_for_people_becomes_no_vault(recipe: StoreRecipe, wire: S3Wire) -> None:
    wire.plant(Fault("answer", times=None, answer=(200, {"Content-Type": "text/html"}, b"<html>Welcome</html>")))
    with pytest.raises(StoreMisaddressed, match="not that of an S3 server"):
        Vault.open_or_create(open_store(recipe), Keyring.generate())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_to_other_hosts_are_not_followed(
    recipe: StoreRecipe, wire: S3Wire, s3_server: S3Server, status: int
) -> None:
    with s3_wire(s3_server) as elsewhere:
        there = elsewhere.server.url.replace("127.0.0.1", "localhost")
        wire.plant(Fault("answer", times=None, answer=(status, {"Location": f"{there}/bucket/a"}, b"")))
        for call in ALL.values():
            with pytest.raises(StoreTrouble):
                call(open_store(recipe, patient=False))
        assert elsewhere.requests == []


def test_environment_changes_neither_credentials_nor_address(
    recipe: StoreRecipe, wire: S3Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDSTRANGER",
        "AWS_SECRET_ACCESS_KEY": "stranger",
        "AWS_SESSION_TOKEN": "stranger",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_REGION": "mars-1",
        "AWS_REQUEST_PAYER": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "AWS_METADATA_ENDPOINT": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    store = open_store(recipe)
    store.put("a", b"1")
    assert f"Credential={ACCESS_KEY}/" in wire.headers["authorization"]
    assert "/us-east-1/s3/" in wire.headers["authorization"]
    assert wire.headers["x-amz-security-token"] == "hunter3"
    assert wire.headers["user-agent"].startswith("rxbackup/")
    assert "x-amz-request-payer" not in wire.headers


def test_proxy_of_the_environment_is_used(wire: S3Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, wire.server.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    wire.plant(
        Fault("answer", ("GET",), answer=refusal(404, "NoSuchKey")),
        Fault("answer", ("PUT",), answer=(200, {"ETag": '"0"'}, b"")),
    )
    # Behind a proxy, names need not be known here.
    store = open_store(S3Server("http://only-the-proxy-knows.invalid").recipe("bucket"), patient=False)
    with pytest.raises(ObjectNotFound):
        store.get("a")
    virtual = S3Server("http://s3.invalid").recipe("acme", "rx", style="virtual")
    open_store(virtual, patient=False).put("a", b"1")
    assert wire.requests == [
        ("GET", "http://only-the-proxy-knows.invalid/bucket/a"),
        ("PUT", "http://acme.s3.invalid/rx/a"),
    ]


def test_server_without_conditional_writes_that_says_so_is_helped(recipe: StoreRecipe, wire: S3Wire) -> None:
    wire.plant(Fault("answer", ("PUT",), answer=refusal(501, "NotImplemented", "A header is not implemented.")))
    store = open_store(recipe)
    assert store.put("a", b"1", if_absent=True) is True
    assert store.put("a", b"2", if_absent=True) is False
    assert store.get("a") == b"1"
    vault = Vault.create(open_store(wire.server.recipe(recipe.settings["bucket"], "vault")), Keyring.generate())
    assert vault.put_chunk(b"1\n").is_new
    assert wire.count("PUT") == 4


def test_conflict_of_two_conditional_writers_is_tried_again(recipe: StoreRecipe, wire: S3Wire) -> None:
    wire.plant(Fault("answer", ("PUT",), answer=refusal(409, "ConditionalRequestConflict")))
    store = RetryingStore(open_store(recipe, patient=False), sleep=lambda _: None)
    assert store.put("a", b"1", if_absent=True) is True


def _tells_no_secret(error: RxbackupError) -> None:
    told = f"{error!r} {error.hint} {error.__cause__!r}"
    assert SECRET_KEY not in told
    assert "hunter3" not in told
    assert error.__suppress_context__


def _raw(server: S3Server, method: str, path: str) -> bytes:
    parts = urlsplit(server.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request(method, path)
    content = connection.getresponse().read()
    connection.close()
    return content


@contextmanager
def _speaker(said: bytes) -> Iterator[str]:
    """A server that says this to everybody and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def speak() -> None:
            while True:
                try:
                    client, _ = door.accept()
                except OSError:
                    return
                with client:
                    client.recv(1 << 16)
                    client.sendall(said)

        threading.Thread(target=speak, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        door.shutdown(socket.SHUT_RDWR)
