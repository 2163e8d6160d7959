"""Vaults written by released versions stay readable, by us and by a reader that knows only the documentation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rxbackup.stores.local import LocalStore
from rxbackup.vault.keyring import read_key_file
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import verify_contents
from rxbackup.verify.structure import verify_structure
from tests.golden.make_v1 import FIRST, PLACES, SECOND, make

HERE = Path(__file__).parent
ROWS = {
    (0, "public.assets"): FIRST,
    (0, "public.pieces"): FIRST,
    (0, "public.places"): PLACES,
    (1, "public.assets"): SECOND,
    (1, "public.pieces"): FIRST,
    (1, "public.places"): PLACES,
}


@pytest.fixture(params=["v1", "today"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A vault and its key: the frozen one, and one written by the code of today."""
    place = tmp_path / "golden"
    if request.param == "today":
        make(place)
    else:
        shutil.copytree(HERE / request.param, place)
        # A checkout does not keep the mode that a key file must have.
        (place / "rxbackup.key").chmod(0o600)
    return place


def test_vault_still_reads(folder: Path) -> None:
    vault = Vault.open(LocalStore(folder / "vault"), read_key_file(folder / "rxbackup.key"))
    backups = _in_order([vault.get_manifest(each) for each in vault.manifest_ids()])
    for (number, name), rows in ROWS.items():
        entry = next(each for each in backups[number].tables if each.qualified == name)
        assert b"".join(vault.get_chunk(c) for s in entry.segments for c in s.chunks) == rows
    for backup in backups:
        assert verify_structure(vault, backup).ok
        assert verify_contents(vault, backup).ok


def test_reader_without_rxbackup_reads_it_too(folder: Path) -> None:
    listed = _read(folder).decode()
    ids = [line.split()[0] for line in listed.splitlines() if not line.startswith(" ")]
    assert len(ids) == 2
    assert "public.assets: 2000 rows" in listed
    renamed_first = b"renamed" in _read(folder, ids[0], "public.assets")
    ids = ids[::-1] if renamed_first else ids
    for (number, name), rows in ROWS.items():
        assert _read(folder, ids[number], name) == rows


def test_reader_imports_nothing_of_rxbackup() -> None:
    assert "import rxbackup" not in (HERE / "reader.py").read_text()
    assert "from rxbackup" not in (HERE / "reader.py").read_text()


def _read(folder: Path, *more: str) -> bytes:
    # -I: isolated, so that not even this checkout is on the path.
    command = [sys.executable, "-I", str(HERE / "reader.py"), str(folder / "vault"), str(folder / "rxbackup.key")]
    return subprocess.run([*command, *more], check=True, capture_output=True, timeout=60).stdout


def _in_order(backups: list) -> list:
    return sorted(backups, key=lambda backup: backup.sequences[0].last_value)
