"""Made `v1/backup.rxbackup` once, of the frozen vault beside it. Never run it again, as `make_v1.py` says."""

from __future__ import annotations

import sys
from pathlib import Path

from rxbackup.export.archive import write_archive
from rxbackup.stores.local import LocalStore
from rxbackup.vault.keyring import read_key_file
from rxbackup.vault.vault import Vault

PASSPHRASE = "Größe zählt beim Passwort"


def make(folder: Path, target: Path) -> None:
    """The newer backup of a golden vault as an archive, which its key and a passphrase open."""
    vault = Vault.open(LocalStore(folder / "vault"), read_key_file(folder / "rxbackup.key"))
    backups = [vault.get_manifest(each) for each in vault.manifest_ids()]
    newer = max(backups, key=lambda backup: backup.sequences[0].last_value)
    with target.open("xb") as file:
        for piece in write_archive(vault, newer, marker=vault.marker_for_archive(PASSPHRASE)):
            file.write(piece)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
