"""Names for files that leave: every file system takes them."""

from __future__ import annotations

import re
import unicodedata

from rxbackup.operations.views import BackupView

_LONGEST = 60


def file_name(view: BackupView, suffix: str, *, part: str = "") -> str:
    """Letters and digits of the backup's name, and of the part of it, its time, the suffix."""
    stem = "-".join(filter(None, (_plain(view.name) or "backup", _plain(part))))
    return f"{stem}-{view.when:%Y%m%d-%H%M%S}.{suffix}"


def _plain(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", ascii_only).strip("-")[:_LONGEST]
