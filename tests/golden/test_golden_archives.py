"""Archives written by released versions stay readable, by us and by a reader that knows only the documentation."""

from __future__ import annotations

import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from tests.golden.make_archive_v1 import PASSPHRASE, make
from tests.golden.make_v1 import FIRST, PLACES, SECOND
from tests.golden.make_v1 import make as make_vault
from tests.support.imports import rows_of, take_archive
from tests.support.vaults import new_vault

HERE = Path(__file__).parent
ROWS = {"public.assets": SECOND, "public.pieces": FIRST, "public.places": PLACES}


@pytest.fixture(params=["v1", "today"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with an archive and the key of its vault: the frozen ones, or of today."""
    folder = tmp_path / "golden"
    if request.param == "today":
        make_vault(folder)
        make(folder, folder / "backup.rxbackup")
    else:
        folder.mkdir()
        for name in ("rxbackup.key", "backup.rxbackup"):
            shutil.copy(HERE / "v1" / name, folder / name)
    return folder


def test_archive_still_imports(place: Path) -> None:
    into = new_vault()
    taken = take_archive((place / "backup.rxbackup").read_bytes(), into, passphrase=PASSPHRASE)
    assert rows_of(into, taken.manifest) == ROWS


def test_reader_without_rxbackup_opens_it_by_key_and_by_passphrase(place: Path) -> None:
    # However the letters with dots are typed: NFC makes them one.
    typed = unicodedata.normalize("NFD", PASSPHRASE)
    for key, stdin in ((str(place / "rxbackup.key"), ""), ("-", f"{typed}\n")):
        listed = _read(place, key, stdin).decode()
        (backup,) = [line.split()[0] for line in listed.splitlines() if not line.startswith(" ")]
        for name, rows in ROWS.items():
            assert _read(place, key, stdin, backup, name) == rows


def _read(place: Path, key: str, stdin: str, *more: str) -> bytes:
    command = [sys.executable, "-I", str(HERE / "reader.py"), str(place / "backup.rxbackup"), key, *more]
    return subprocess.run(command, input=stdin.encode(), check=True, capture_output=True, timeout=60).stdout
