"""Against a server that checks signatures and rights: what is wrong is named, and docs/stores.md's policy is enough."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from rxbackup.errors import StoreDenied, StoreNotWritable
from rxbackup.stores.base import StoreRecipe
from rxbackup.stores.opening import open_store
from rxbackup.stores.probing import probe_store
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.vault import Vault
from tests.support.s3_servers import S3Server

DOCS = Path(__file__).parents[3] / "docs" / "stores.md"
BUCKET = "acme-backups"
PREFIX = "rxbackup"


@dataclass(frozen=True)
class Guarded:
    """moto with its guards on, and two users: one with the rights of the docs, one with the given statements."""

    server: S3Server

    def user(self, name: str, policy: object) -> StoreRecipe:
        """A store opened by a new user with this policy."""
        self.ask_auth("inf")
        iam = boto3.client(
            "iam",
            endpoint_url=self.server.url,
            region_name="us-east-1",
            aws_access_key_id="root",
            aws_secret_access_key="root",
        )
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.ask_auth("0")
        return self.server.recipe(BUCKET, PREFIX, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])

    def ask_auth(self, count: str) -> None:
        """How many requests pass before the guards come on."""
        self.server.ask("POST", "/moto-api/reset-auth", count.encode())


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    # A process of its own: the guards are one switch for all of moto.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        made = Guarded(S3Server(f"http://127.0.0.1:{port}"))
        made.server.ask("PUT", f"/{BUCKET}")
        yield made
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "moto did not start"
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def policy() -> dict[str, object]:
    """The policy that the docs give, for our bucket and prefix."""
    blocks = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    [found] = [block for block in blocks if "s3:PutObject" in block]
    loaded: dict[str, object] = json.loads(found)
    return loaded


def test_policy_of_the_docs_is_enough(guarded: Guarded, policy: dict[str, object]) -> None:
    recipe = guarded.user("enough", policy)
    report = probe_store(open_store(recipe, patient=False))
    assert report.trouble is None, report.trouble
    vault = Vault.open_or_create(open_store(recipe), Keyring.generate())
    assert vault.put_chunk(b"1\n").is_new
    assert vault.manifest_ids() == []


def test_policy_of_the_docs_opens_no_other_place(guarded: Guarded, policy: dict[str, object]) -> None:
    recipe = guarded.user("elsewhere", policy)
    other = StoreRecipe("s3", {**recipe.settings, "prefix": "other"})
    with pytest.raises(StoreNotWritable, match="AccessDenied"):
        open_store(other).put("a", b"1")
    with pytest.raises(StoreDenied, match="AccessDenied"):
        open_store(other).get("a")


@pytest.mark.parametrize("missing", ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"])
def test_each_right_of_the_policy_is_needed_and_named(
    guarded: Guarded, policy: dict[str, object], missing: str
) -> None:
    less = json.loads(json.dumps(policy).replace(f'"{missing}"', '"s3:GetBucketLocation"'))
    assert less != policy
    report = probe_store(open_store(guarded.user(f"no-{missing[3:]}", less), patient=False))
    assert not report.ok
    assert missing in next(check.detail for check in report.checks if not check.ok)


def test_wrong_keys_are_told_apart(guarded: Guarded, policy: dict[str, object]) -> None:
    recipe = guarded.user("mistaken", policy)
    unknown = StoreRecipe("s3", {**recipe.settings, "access_key": "AKIAIOSFODNN7EXAMPLE"})
    with pytest.raises(StoreDenied, match="does not know the access key"):
        open_store(unknown).put("a", b"1")
    wrong = StoreRecipe("s3", {**recipe.settings, "secret_key": "hunter2"})
    with pytest.raises(StoreDenied, match="secret key is not right") as told:
        open_store(wrong).stat("a")
    assert "hunter2" not in f"{told.value!r}{told.value.hint}"
    for recipe in (unknown, wrong):
        with pytest.raises(StoreDenied):
            Vault.open_or_create(open_store(recipe), Keyring.generate())
