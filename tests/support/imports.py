"""Files to import, and vaults to import them into, without a database."""

from __future__ import annotations

import tempfile
from typing import BinaryIO

from rxbackup.export.archive import write_archive
from rxbackup.export.json_document import write_json
from rxbackup.intake.archive import open_source, read_manifest, take_other, take_same, unlock
from rxbackup.intake.archive_file import ArchiveFile
from rxbackup.intake.json_document import JsonFile
from rxbackup.intake.limits import Bounds
from rxbackup.intake.taken import TakenIn
from rxbackup.postgres.connecting import PINS
from rxbackup.vault.keyring import Keyring
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault
from tests.support.vaults import column, manifest, sequence, table

BOUNDS = Bounds(row_bytes=1 << 32)
ALL_PINS = {**PINS, "client_encoding": "UTF8"}
FIRST = b"".join(b"%d\tasset %d\t%d.50\t\\N\n" % (n, n, n) for n in range(1, 2001))
SECOND = FIRST.replace(b"asset 77\t", b"renamed \\t 77\t")
PLACES = b'1\tB\xc3\xbcro "x"\t{"floor": 1}\n2\t\\N\tnull\n3\ta\\\\b\\n\x01\t{"$json": [1, "\\\\u00e4"]}\n'
PHRASE = "correct horse battery"
BACKUP_ID = "11111111-2222-4333-8444-555555555555"


def small_backup(vault: Vault) -> Manifest:
    """Three tables; one is stored as a difference from a chunk that the backup does not need for its rows."""
    from dataclasses import replace

    columns = [column("id", "integer"), column("name"), column("price", "numeric(10,2)"), column("note")]
    anchor = vault.put_chunk(FIRST).id
    changed = vault.put_chunk(SECOND, anchor=anchor)
    assert changed.codec == "difference"
    assets = table(vault, "assets", columns, [SECOND])
    places = table(vault, "places", [column("id", "integer"), column("name"), column("about", "jsonb")], [PLACES])
    pieces = table(vault, "pieces", columns, [FIRST[:20_000].rpartition(b"\n")[0] + b"\n"], limit=8_000)
    nothing = table(vault, "no columns", [], [b"\n\n"])
    empty = table(vault, "empty", columns, [])
    made = manifest(vault, [assets, places, pieces, nothing, empty], [sequence()])
    made = replace(made, backup_id=BACKUP_ID, pins=ALL_PINS, leans={changed.id: anchor})
    vault.put_manifest(made)
    return made


def spooled(content: bytes) -> BinaryIO:
    """An open file of these bytes."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's
    file.write(content)
    file.seek(0)
    return file


def archive_of(vault: Vault, made: Manifest, passphrase: str | None = None) -> bytes:
    return b"".join(write_archive(vault, made, marker=vault.marker_for_archive(passphrase)))


def json_of(vault: Vault, made: Manifest) -> bytes:
    return b"".join(write_json(vault, made))


def take_archive(
    content: bytes,
    into: Vault,
    *,
    own: Keyring | None = None,
    passphrase: str | None = None,
    backup_id: str | None = None,
    bounds: Bounds = BOUNDS,
) -> TakenIn:
    """Import an archive as the operation does."""
    with spooled(content) as file:
        archive = ArchiveFile.check(file)
        own = own or Keyring.generate()
        source = open_source(archive, into, lambda m: unlock(m, own, passphrase=passphrase, other=None))
        found = read_manifest(source, bounds)
        take = take_same if source.same else take_other
        return take(source, found, into, backup_id=backup_id or found.backup_id)


def take_json(content: bytes, into: Vault, *, backup_id: str | None = None, bounds: Bounds = BOUNDS) -> TakenIn:
    """Import a document as the operation does."""
    with spooled(content) as file:
        document = JsonFile(file, bounds)
        return document.take(into, backup_id=backup_id or document.manifest.backup_id)


def rows_of(vault: Vault, made: Manifest) -> dict[str, bytes]:
    """The rows of every table."""
    return {
        each.qualified: b"".join(vault.get_chunk(c) for s in each.segments for c in s.chunks) for each in made.tables
    }
