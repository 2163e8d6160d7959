"""From settings to one address, or a refusal before anything is sent."""

from __future__ import annotations

import pickle
import socket

import pytest

from rxbackup.errors import StoreMisaddressed, StoreUnavailable, UsageError
from rxbackup.stores.base import StoreRecipe
from rxbackup.stores.opening import open_store
from rxbackup.stores.s3_address import S3Address, refuse_link_local

KEYS = {"access_key": "AKID", "secret_key": "hunter2"}


@pytest.mark.parametrize(
    ("settings", "endpoint", "region", "virtual"),
    [
        ({"region": "eu-central-1"}, "https://acme.s3.eu-central-1.amazonaws.com", "eu-central-1", True),
        ({"region": "eu-central-1", "style": "path"}, "https://s3.eu-central-1.amazonaws.com", "eu-central-1", False),
        ({"region": "cn-north-1", "style": "path"}, "https://s3.cn-north-1.amazonaws.com.cn", "cn-north-1", False),
        ({"endpoint": "https://s3.eu-west-1.amazonaws.com/"}, "https://s3.eu-west-1.amazonaws.com", "eu-west-1", False),
        ({"endpoint": "https://minio.example:9000"}, "https://minio.example:9000", "us-east-1", False),
        ({"endpoint": "https://gate.example/storage/v1/s3"}, "https://gate.example/storage/v1/s3", "us-east-1", False),
        ({"endpoint": "https://s3.example", "style": "virtual"}, "https://acme.s3.example", "us-east-1", True),
        ({"endpoint": "https://acme.s3.example", "style": "virtual"}, "https://acme.s3.example", "us-east-1", True),
        ({"endpoint": "https://0a1b.r2.cloudflarestorage.com"}, "https://0a1b.r2.cloudflarestorage.com", "auto", False),
        (
            {"endpoint": "https://s3.us-west-004.backblazeb2.com"},
            "https://s3.us-west-004.backblazeb2.com",
            "us-west-004",
            False,
        ),
        ({"endpoint": "http://127.0.0.1:9000", "allow_http": "1"}, "http://127.0.0.1:9000", "us-east-1", False),
    ],
)
def test_endpoint_region_and_style_follow_from_what_is_said(
    settings: dict[str, str], endpoint: str, region: str, virtual: bool
) -> None:
    address = S3Address.of({"bucket": "acme", **KEYS, **settings})
    assert (address.endpoint, address.region, address.virtual) == (endpoint, region, virtual)


def test_bucket_with_dots_is_named_in_the_path() -> None:
    assert not S3Address.of({"bucket": "acme.example", "region": "eu-west-1", **KEYS}).virtual


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bucket": ""}, "no name of a bucket"),
        ({"bucket": "a/../b"}, "no name of a bucket"),
        ({"bucket": "a\nb"}, "no name of a bucket"),
        ({"endpoint": "", "region": ""}, "needs its region"),
        ({"region": "eu/../west"}, "no region"),
        ({"endpoint": "http://minio.example"}, "plain http"),
        ({"endpoint": "file:///etc"}, "no address"),
        ({"endpoint": "ftp://minio.example"}, "no address"),
        ({"endpoint": "minio.example:9000"}, "no address"),
        ({"endpoint": "https://minio.example:99999"}, "no address"),
        ({"endpoint": "https://user:pass@minio.example"}, "must not hold"),
        ({"endpoint": "https://minio.example/?a=b"}, "must not hold"),
        ({"endpoint": "http://169.254.169.254", "allow_http": "1"}, "link-local"),
        ({"endpoint": "http://[fe80::1]:80", "allow_http": "1"}, "link-local"),
        ({"endpoint": "http://[::ffff:169.254.169.254]", "allow_http": "1"}, "link-local"),
        ({"endpoint": "http://[fd00:ec2::254]", "allow_http": "1"}, "link-local"),
        ({"endpoint": "http://metadata.google.internal", "allow_http": "1"}, "link-local"),
        ({"style": "odd"}, "no style"),
        ({"prefix": "../up"}, "prefix"),
        ({"prefix": "a//b"}, "prefix"),
        ({"access_key": ""}, "access key and a secret key"),
        ({"secret_key": ""}, "access key and a secret key"),
        ({"secret_key": "hunter2\n"}, "characters"),
    ],
    ids=repr,
)
def test_what_cannot_be_right_is_refused(settings: dict[str, str], words: str) -> None:
    recipe = StoreRecipe("s3", {"bucket": "acme", "endpoint": "https://minio.example", **KEYS, **settings})
    with pytest.raises(UsageError, match=words) as told:
        open_store(recipe)
    assert "hunter2" not in told.value.message


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "fd00:ec2::254"])
def test_name_that_leads_to_a_link_local_address_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("93.184.216.34", 0)), (0, 0, 0, "", (address, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(StoreMisaddressed, match="link-local"):
        refuse_link_local("harmless.example")
    recipe = StoreRecipe("s3", {"bucket": "acme", "endpoint": "https://harmless.example", **KEYS})
    with pytest.raises(StoreMisaddressed, match="link-local"):
        open_store(recipe).get("a")


def test_name_that_leads_nowhere_is_told() -> None:
    with pytest.raises(StoreUnavailable, match="leads to no address"):
        refuse_link_local("nowhere.invalid")


def test_prefix_and_name_make_the_key() -> None:
    whole = S3Address.of({"bucket": "acme", "region": "eu-west-1", **KEYS})
    part = S3Address.of({"bucket": "acme", "region": "eu-west-1", "prefix": "/a/B_c/", **KEYS})
    assert (whole.key("vault.json"), part.key("vault.json")) == ("vault.json", "a/B_c/vault.json")
    assert part.describe() == "bucket acme/a/B_c at acme.s3.eu-west-1.amazonaws.com"


def test_secrets_are_not_printed_and_recipes_travel() -> None:
    recipe = StoreRecipe("s3", {"bucket": "acme", "region": "eu-west-1", "session_token": "hunter3", **KEYS})
    store = open_store(pickle.loads(pickle.dumps(recipe)))
    told = f"{recipe!r} {store!r} {S3Address.of(recipe.settings)!r} {store.describe()}"
    assert "hunter" not in told
    assert "AKID" not in told
    assert store.recipe() == recipe
