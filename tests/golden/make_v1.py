"""Made `v1/` once, when format 1 was frozen. Never run it again: a golden vault that changes proves nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from rxbackup.stores.local import LocalStore
from rxbackup.vault.keyring import create_key_file
from rxbackup.vault.vault import Vault
from tests.support.vaults import column, manifest, sequence, table

FIRST = b"".join(b"%d\tasset %d\t%d.50\t\\N\n" % (n, n, n) for n in range(1, 2001))
SECOND = FIRST.replace(b"asset 77\t", b"renamed \\t 77\t")
PLACES = b'1\tB\xc3\xbcro\t{"floor": 1}\n2\t\\N\tnull\n'


def make(folder: Path) -> None:
    vault = Vault.create(LocalStore.create(folder / "vault"), create_key_file(folder / "rxbackup.key"))
    columns = [column("id", "integer"), column("name"), column("price", "numeric(10,2)"), column("note")]
    places = table(vault, "places", [column("id", "integer"), column("name"), column("about", "jsonb")], [PLACES])
    pieces = table(vault, "pieces", columns, [FIRST, b""], limit=16_000)
    first = table(vault, "assets", columns, [FIRST])
    vault.put_manifest(manifest(vault, [first, pieces, places], [sequence()]))
    changed = vault.put_chunk(SECOND, anchor=first.segments[0].chunks[0])
    assert changed.codec == "difference"
    second = table(vault, "assets", columns, [SECOND])
    vault.put_manifest(manifest(vault, [second, pieces, places], [sequence(last_value=2000)]))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
