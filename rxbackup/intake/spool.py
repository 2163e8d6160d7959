"""Where uploaded files wait until a worker takes them in.

A file belongs to whoever holds its lock: the process that receives it, until the job that imports it is written down.
After that the job's row vouches for it. A file without either was left behind by a crash, and is swept.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from rxbackup.errors import Refused, StoreFull, StoreNotWritable, TooLarge

RESERVE_BYTES = 256 * 1024 * 1024
"""So much of the disk is left free: the database may rest on it."""
_LOOK_EVERY_BYTES = 32 * 1024 * 1024
_NAME = re.compile(r"[0-9a-f]{32}")
_KEYS = ".keys"


class Spool:
    """A file that is being received. Use it as a context manager: what is not kept is removed.

    Args:
        folder: where spooled files are; made if it is not there.
        most_bytes: the largest file that is taken.
        announced: how long it says it will be, if it says so.
    """

    def __init__(self, folder: Path, *, most_bytes: int, announced: int | None = None) -> None:
        self._most_bytes = most_bytes
        self._folder = folder
        self._written = 0
        self._looked_at = 0
        self._kept = False
        if announced is not None:
            self._refuse_too_large(announced)
        with _told(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._look_at_disk(announced or 0)
            self.path = folder / uuid4().hex
            self._number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self._number, fcntl.LOCK_EX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._kept:
            remove(self.path)
        os.close(self._number)

    def write(self, piece: bytes | bytearray) -> None:
        """Write the next piece.

        Raises:
            TooLarge: the file is longer than allowed.
            StoreFull: the disk has little space left.
        """
        self._refuse_too_large(self._written + len(piece))
        if self._written - self._looked_at >= _LOOK_EVERY_BYTES:
            self._looked_at = self._written
            self._look_at_disk(0)
        with _told(self._folder), memoryview(piece) as view:
            done = 0
            while done < len(view):
                done += os.write(self._number, view[done:])
        self._written += len(piece)

    def keep(self) -> None:
        """Leave the file: somebody else vouches for it now."""
        self._kept = True

    def _refuse_too_large(self, size: int) -> None:
        if size > self._most_bytes:
            raise TooLarge(
                f"The file is larger than {self._most_bytes} bytes.",
                hint="Import it on the server with `rxbackup backup import FILE`, or raise RXBACKUP_IMPORT_MAX_BYTES.",
            )

    def _look_at_disk(self, wanted: int) -> None:
        if shutil.disk_usage(self._folder).free < wanted + RESERVE_BYTES:
            raise StoreFull(
                "There is not enough space on the server for this file.",
                hint="Free some space where RXBACKUP_DATA_DIR is, then try again.",
            )


def spooled(folder: Path, name: str) -> Path:
    """The path of a spooled file by its name. Raises `Refused` if it is no name of one."""
    if not _NAME.fullmatch(name):
        raise Refused(f"{name[:80]!r} is no spooled file.")
    return folder / name


def is_spooled(folder: Path, path: Path) -> bool:
    """Whether this file is one that was uploaded."""
    return path.parent == folder and _NAME.fullmatch(path.name) is not None


def keys_beside(path: Path) -> Path:
    """Where the keys of a spooled archive wait, wrapped by the installation's own key."""
    return path.with_name(path.name + _KEYS)


def write_keys(path: Path, content: bytes) -> None:
    """Put wrapped keys beside a spooled archive."""
    with _told(path.parent):
        number = os.open(keys_beside(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(content)


def remove(path: Path) -> None:
    """Remove a spooled file and what lies beside it."""
    for each in (keys_beside(path), path):
        with suppress(OSError):
            each.unlink()


def unclaimed(folder: Path) -> list[Path]:
    """Spooled files that nobody receives at this moment. Those of jobs that wait or run are among them.

    Ask for the jobs afterwards: a file is let go only after its job was written down.
    """
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    ours = [path for path in found if _NAME.fullmatch(path.name.removesuffix(_KEYS))]
    # Keys belong to the file beside them.
    return [path for path in ours if not _is_held(path.with_name(path.name.removesuffix(_KEYS)))]


def _is_held(path: Path) -> bool:
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(number)
    return False


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StoreFull("There is no space left on the server for this file.") from error
        raise StoreNotWritable(
            f"Uploaded files cannot be kept in {folder}: {error.strerror}.",
            hint="Give the user that runs rxbackup the right to write there.",
        ) from error
