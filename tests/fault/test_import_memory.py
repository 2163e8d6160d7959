"""Files are streamed in and out: 256 MiB for 200 MB of rows, and for files that claim to be more than they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)

MIB = 1 << 20
LIMIT = 256 * MIB

# Each runs in a process of its own, so that its high-water mark is its own.
WRITE = """
import os, sys
from dataclasses import replace
from pathlib import Path
from rxbackup.export.archive import write_archive
from rxbackup.export.json_document import write_json
from rxbackup.vault.manifest import SegmentEntry
from tests.support.imports import ALL_PINS
from tests.support.vaults import column, manifest, new_local_vault, table

folder = Path(sys.argv[1])
vault = new_local_vault(folder / "source")

def segments():
    for number in range(50):
        words = os.urandom(2 * 1024 * 1024).hex()
        rows = (f"{number * 100000 + i}\\t{words[i * 400 : i * 400 + 400]}\\t{i}.5\\n" for i in range(10000))
        yield "".join(rows).encode()

entry = table(vault, "large", [column("id", "integer"), column("words"), column("n", "numeric")], [])
kept = [SegmentEntry(n, n + 1, 10000, len(rows), [vault.put_chunk(rows).id]) for n, rows in enumerate(segments())]
entry = replace(entry, segments=kept, rows=500_000, raw_bytes=sum(segment.raw_bytes for segment in kept))
made = replace(manifest(vault, [entry]), pins=ALL_PINS)
vault.put_manifest(made)
for name, pieces in (("json", write_json(vault, made)),
                     ("archive", write_archive(vault, made, marker=vault.marker_for_archive("correct horse battery")))):
    with (folder / name).open("wb") as file:
        for piece in pieces:
            file.write(piece)
"""
TAKE = """
import sys
from pathlib import Path
from rxbackup.intake.archive import open_source, read_manifest, take_other, unlock
from rxbackup.intake.archive_file import ArchiveFile
from rxbackup.intake.json_document import JsonFile
from rxbackup.intake.limits import Bounds
from rxbackup.vault.keyring import Keyring
from tests.support.vaults import new_local_vault

folder, name = Path(sys.argv[1]), sys.argv[2]
bounds = Bounds(1 << 40)
into = new_local_vault(folder / f"target {name}")
with (folder / name).open("rb") as file:
    if name == "json":
        document = JsonFile(file, bounds)
        taken = document.take(into, backup_id=document.manifest.backup_id)
    else:
        own = Keyring.generate()
        archive = ArchiveFile.check(file)
        source = open_source(archive, into, lambda m: unlock(m, own, passphrase="correct horse battery", other=None))
        found = read_manifest(source, bounds)
        taken = take_other(source, found, into, backup_id=found.backup_id)
assert taken.manifest.totals.rows == 500_000
"""
PEAK = """
import re
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024)
"""


def _peak(script: str, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", script + PEAK, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout.split()[-1])


def test_two_hundred_megabytes_go_out_and_come_in(tmp_path: Path) -> None:
    peaks = {"write": _peak(WRITE, str(tmp_path))}
    assert (tmp_path / "json").stat().st_size > 200_000_000
    for name in ("json", "archive"):
        peaks[name] = _peak(TAKE, str(tmp_path), name)
    print({name: f"{peak / MIB:.0f} MiB" for name, peak in peaks.items()})
    assert max(peaks.values()) <= LIMIT


BOMB = """
import sys
from pathlib import Path
from rxbackup.errors import RxbackupError
from tests.support.bombs import BOMBS
from tests.support.imports import PHRASE, take_archive
from tests.support.vaults import new_vault

try:
    take_archive(BOMBS[sys.argv[1]](), new_vault(), passphrase=PHRASE)
except RxbackupError as error:
    assert len(error.message) < 500, error.message
else:
    raise SystemExit("it was taken")
"""


@pytest.mark.parametrize("name", ["manifest of lists", "manifest of zeros", "chunk of zeros", "chunk that lies"])
def test_bombs_of_somebody_with_a_key_of_his_own_do_not_go_off(name: str) -> None:
    assert _peak(BOMB, name) <= LIMIT
