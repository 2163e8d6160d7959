"""Stores and copies at the terminal."""

from __future__ import annotations

from pathlib import Path

from tests.support.s3_servers import ACCESS_KEY, SECRET_KEY, S3Server, s3_server
from tests.support.terminal import Terminal

__all__ = ["s3_server"]


def test_stores_and_copies(shop: Terminal, tmp_path: Path, s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    place = ("--kind", "s3", "--bucket", bucket, "--endpoint", s3_server.url, "--allow-http")
    added = shop.run("store", "add", "bucket", *place, "--secrets-stdin", typed=f"{ACCESS_KEY}\n{SECRET_KEY}\n\n")
    assert added.code == 0, added.err
    assert "bucket is ready" in added.out
    assert SECRET_KEY not in added.out + added.err
    folder = tmp_path / "offsite"
    assert shop.run("store", "add", "offsite", "--path", str(folder), "--json").json["state"] == "ok"

    made = shop.run(
        "backup", "create", "--name", "First", "--copy-to", "bucket", "--copy-to", "offsite", "--json", "-q"
    )
    assert made.code == 0, made.err
    assert [p["store"] for p in made.json["places"]] == ["database", "bucket", "offsite"]
    assert "database, bucket, offsite" in shop.run("backup", "list").out
    stores = {s["name"]: s for s in shop.run("store", "list", "--json").json["stores"]}
    assert (stores["bucket"]["backups"], stores["offsite"]["backups"]) == (1, 1)

    again = shop.run("backup", "copy", "First", "--to", "offsite")
    assert again.code == 3
    assert "already" in again.err

    (folder / "vault.json").unlink()
    broken = shop.run("store", "test", "offsite")
    assert broken.code == 1
    assert "vault.json" in broken.out
    away = shop.run("restore", "First", "--from", "offsite", "--dry-run")
    assert away.code == 5
    assert "--from database" in away.err
