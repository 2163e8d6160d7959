"""What kind of file is it? By its first bytes, never by its name."""

from __future__ import annotations

import os
import re
import stat
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from rxbackup.errors import FileCorrupt, NotFound, Refused, UsageError
from rxbackup.export.tar_format import BLOCK_BYTES
from rxbackup.vault.marker import MARKER

_BOM = b"\xef\xbb\xbf"
_SQL = re.compile(
    rb"\s*(--|/\*|\\|(set|begin|start|copy|insert|create|select|update|delete|drop|alter|do|truncate|grant)\b)",
    re.IGNORECASE,
)
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
}


class FileKind(StrEnum):
    """The kinds of files that can be imported; the words are those of `backups.origin`."""

    ARCHIVE = "archive"
    JSON = "json"


def open_file(path: Path) -> BinaryIO:
    """The file, open for reading, if it is one.

    Raises:
        NotFound: there is none.
        UsageError: it is a folder, a pipe or a device, or may not be read.
    """
    try:
        # Opening a pipe would wait for its other end.
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", hint="Check the name.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="Choose a file that you may read.") from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise UsageError(f"{path} is not a file.", hint="Write it into a file first, then import that.")
    return os.fdopen(number, "rb")


def recognise(file: BinaryIO) -> FileKind:
    """The kind of an open file, which stands at its beginning again afterwards.

    Raises:
        FileCorrupt: it is empty, or nothing that rxbackup has written.
        Refused: it is SQL, which rxbackup never executes, or another program's backup.
    """
    file.seek(0)
    head = file.read(BLOCK_BYTES)
    file.seek(0)
    if not head:
        raise FileCorrupt("The file is empty.")
    if head.startswith(MARKER.encode() + b"\0"):
        return FileKind.ARCHIVE
    if head.lstrip(b" \t\r\n").startswith(b"{"):
        return FileKind.JSON
    raise _refusal(head)


def _refusal(head: bytes) -> FileCorrupt | Refused:
    if head.startswith(_BOM):
        return FileCorrupt(
            "The file begins with a byte order mark: another program has written it anew.",
            hint="Import the file as rxbackup wrote it.",
        )
    packed = next((name for start, name in _PACKED.items() if head.startswith(start)), None)
    if packed:
        return Refused(f"The file is compressed ({packed}).", hint="Unpack it first, then import what was in it.")
    if head.startswith(b"PGDMP"):
        return Refused("This is a backup of pg_dump.", hint="Load it with pg_restore, then take a backup.")
    if _SQL.match(head):
        return Refused(
            "This is SQL. rxbackup never executes SQL from a file.",
            hint="Import the archive or the JSON document of the backup. Or load the script yourself, into a database "
            "that you can spare, by `psql -X -v ON_ERROR_STOP=1 -f FILE`.",
        )
    return FileCorrupt(
        "The file is neither an archive nor a JSON document of rxbackup.",
        hint="Import what `backup download --format archive` or `--format json` wrote.",
    )
