"""Is there room for a drill? Asked before anything is written: a full disk would stop the protected database."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from rxbackup.errors import Refused
from rxbackup.vault.manifest import Manifest

_ROW_BYTES = 36
_KEY_BYTES = 48
_TABLE_BYTES = 64 * 1024
SPARE_BYTES = 256 << 20
"""Stays free in any case, for the protected database itself."""


def needed_bytes(manifest: Manifest) -> int:
    """What a drill takes on the server's disk, generously: rows, keys and catalogue."""
    totals = manifest.totals
    return totals.raw_bytes + totals.rows * (_ROW_BYTES + _KEY_BYTES) + len(manifest.tables) * _TABLE_BYTES


def require_space(manifest: Manifest, folder: Path | None) -> None:
    """Raise `Refused` where the disk of this folder cannot hold a drill. A disk that cannot be seen is trusted."""
    if folder is None:
        return
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(folder).free
        needed = needed_bytes(manifest)
        if free < needed + SPARE_BYTES:
            raise Refused(
                f"The drill needs about {_size(needed)} on the disk of the database server, and {_size(free)} are "
                f"free there ({_size(SPARE_BYTES)} have to stay free).",
                hint="Free some space there. The level contents checks every row without any.",
            )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"  # noqa: PLR2004 - units
