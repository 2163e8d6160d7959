"""A store in a folder.

Every path is walked from the root one component at a time with O_NOFOLLOW, so a symlink planted below the root
is an error and never a way out. An object is written to a hidden temporary file beside its place, flushed, and
then given its name: nobody ever sees half of it. Names cannot begin with a dot, so temporary files are no objects.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from rxbackup.errors import (
    Corrupt,
    ObjectNotFound,
    RxbackupError,
    StoreFull,
    StoreMissing,
    StoreNotWritable,
    StoreUnavailable,
    UsageError,
)
from rxbackup.stores.base import StoredObject, StoreRecipe, check_name, check_prefix

_MOUNT_HINT = "Mount it again or put it back. rxbackup does not make a new folder in its place."
_TEMPORARY = ".part-"
_STALE_SECONDS = 86_400
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a planted named pipe must be an error, not an endless wait.
_READ_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class LocalStore:
    """Objects as files below one folder, which must exist: see `create`."""

    kind = "local"

    def __init__(self, path: Path | str) -> None:
        self._root = Path(path)
        self._seen: tuple[int, int] | None = None
        if not self._root.is_absolute():
            raise UsageError(f"The folder of a store needs an absolute path, {str(path)!r} is none.")

    @classmethod
    def create(cls, path: Path | str) -> LocalStore:
        """Make the folder if it is missing (mode 0700), then open the store.

        The only place where a root folder is made: one that vanished is not silently replaced by an empty one.
        """
        store = cls(path)
        with store._trouble("create"):
            store._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return store

    def describe(self) -> str:
        """The place, for people."""
        return f"folder {self._root}"

    def recipe(self) -> StoreRecipe:
        """Opens the same folder."""
        return StoreRecipe("local", {"path": str(self._root)})

    def put(self, name: str, content: bytes, *, if_absent: bool = False) -> bool:
        """Write, flush, then name the file, then flush its folder."""
        check_name(name)
        with self._trouble(f"write {name}"), self._folder_of(name, make=True) as (folder, leaf):
            if if_absent and _exists(folder, leaf):
                return False
            temporary = f"{_TEMPORARY}{secrets.token_hex(8)}"
            try:
                _write_flushed(folder, temporary, content)
                named = _give_name(folder, temporary, leaf, if_absent=if_absent)
                os.fsync(folder)
            finally:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
            return named

    def get(self, name: str) -> bytes:
        """The file's bytes."""
        check_name(name)
        with self._trouble(f"read {name}", missing=name), self._folder_of(name) as (folder, leaf):
            number = os.open(leaf, _READ_FILE, dir_fd=folder)
            with os.fdopen(number, "rb", buffering=0) as file:
                found = os.fstat(number)
                if not stat.S_ISREG(found.st_mode):
                    raise Corrupt(f"{name} in {self.describe()} is not a file.")
                content = file.readall()
        if len(content) != found.st_size:
            raise StoreUnavailable(f"{name} in {self.describe()} changed while it was read.")
        return content

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The files below the root whose names begin with `prefix`; leftovers of a crash are swept on the way."""
        check_prefix(prefix)
        above, _, _ = prefix.rpartition("/")
        # An empty answer must not come from a folder that is gone.
        with self._trouble("list"), self._folder(""):
            pass
        yield from self._walk(above, prefix)

    def stat(self, name: str) -> StoredObject | None:
        """Size and time of the file, or None."""
        check_name(name)
        try:
            with self._trouble(f"look at {name}", missing=name), self._folder_of(name) as (folder, leaf):
                found = os.stat(leaf, dir_fd=folder, follow_symlinks=False)
        except ObjectNotFound:
            return None
        if not stat.S_ISREG(found.st_mode):
            raise Corrupt(f"{name} in {self.describe()} is not a file.")
        return StoredObject(name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def delete(self, name: str) -> None:
        """Remove the file and flush its folder."""
        check_name(name)
        with (
            suppress(ObjectNotFound),
            self._trouble(f"delete {name}", missing=name),
            self._folder_of(name) as (folder, leaf),
        ):
            os.unlink(leaf, dir_fd=folder)
            os.fsync(folder)

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _walk(self, above: str, prefix: str) -> Iterator[StoredObject]:
        lead = f"{above}/" if above else ""
        for entry, is_folder in self._entries(above):
            name = lead + entry
            if is_folder:
                # Go down only where a wanted name can be.
                if f"{name}/".startswith(prefix) or prefix.startswith(f"{name}/"):
                    yield from self._walk(name, prefix)
            elif name.startswith(prefix):
                found = self.stat(name)
                if found is not None:
                    yield found

    def _entries(self, above: str) -> Sequence[tuple[str, bool]]:
        """(name, is folder) of what lies in one folder, in the order of complete object names."""
        entries: list[tuple[str, bool]] = []
        try:
            with self._trouble("list", missing=above), self._folder(above) as folder, os.scandir(folder) as found:
                for entry in found:
                    if entry.name.startswith(_TEMPORARY):
                        _sweep(folder, entry)
                    elif not entry.name.startswith("."):
                        entries.append((entry.name, entry.is_dir(follow_symlinks=False)))
        except ObjectNotFound:
            return []
        # `-` and `.` sort before `/`: a folder takes its place as if its name ended in one.
        return sorted(entries, key=lambda entry: f"{entry[0]}/" if entry[1] else entry[0])

    @contextmanager
    def _folder_of(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        above, _, leaf = name.rpartition("/")
        with self._folder(above, make=make) as folder:
            yield folder, leaf

    @contextmanager
    def _folder(self, path: str, *, make: bool = False) -> Iterator[int]:
        """The open descriptor of a folder below the root, which itself must be there."""
        try:
            # The root itself may be a symlink: the admin chose it.
            folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StoreMissing(
                f"The {self.describe()} is not there.",
                hint=_MOUNT_HINT,
            ) from error
        try:
            self._refuse_emptied(folder, writing=make)
            for part in path.split("/") if path else []:
                below = _enter(folder, part, make=make)
                os.close(folder)
                folder = below
            yield folder
        finally:
            os.close(folder)

    def _refuse_emptied(self, folder: int, *, writing: bool) -> None:
        """Write nothing where a disk was unplugged: its mount point is a folder too, another one, and empty."""
        found = os.fstat(folder)
        identity = (found.st_dev, found.st_ino)
        if writing and self._seen not in (None, identity) and not os.listdir(folder):
            raise StoreMissing(f"The {self.describe()} is empty, and was not a moment ago.", hint=_MOUNT_HINT)
        if writing or self._seen is None:
            self._seen = identity

    @contextmanager
    def _trouble(self, doing: str, *, missing: str | None = None) -> Iterator[None]:
        """Turn an operating-system error into one that a person can act on."""
        try:
            yield
        except RxbackupError:
            raise
        except OSError as error:
            if missing is not None and error.errno == errno.ENOENT:
                raise ObjectNotFound(f"There is no object {missing} in {self.describe()}.") from error
            raise _told(error, f"Cannot {doing} in {self.describe()}: {error.strerror or error}.") from error


def _told(error: OSError, message: str) -> RxbackupError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(message)
    if error.errno == errno.EROFS:
        return StoreNotWritable(message, hint="Mount the disk for writing; look into its log if it became read-only.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return StoreNotWritable(message, hint="Let the user that runs rxbackup own the folder and all that is in it.")
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR):
        return Corrupt(message, hint="Something is in the store's folder that rxbackup did not put there: look at it.")
    return StoreUnavailable(message)


def _enter(folder: int, part: str, *, make: bool) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        os.mkdir(part, mode=0o700, dir_fd=folder)
        os.fsync(folder)
    return os.open(part, _FOLDER, dir_fd=folder)


def _exists(folder: int, leaf: str) -> bool:
    try:
        os.stat(leaf, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _write_flushed(folder: int, name: str, content: bytes) -> None:
    # A failed fsync is never tried again: the kernel may have dropped the pages and would then report success.
    number = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(number, rest) :]
        os.fsync(number)
    finally:
        os.close(number)


def _give_name(folder: int, temporary: str, leaf: str, *, if_absent: bool) -> bool:
    """Move the temporary file to its name; with `if_absent`, False if the name is taken."""
    if not if_absent:
        os.rename(temporary, leaf, src_dir_fd=folder, dst_dir_fd=folder)
        return True
    try:
        # link refuses to replace, rename would.
        os.link(temporary, leaf, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return False
    return True


def _sweep(folder: int, entry: os.DirEntry[str]) -> None:
    """Remove a temporary file that a crash left behind; a young one may belong to somebody at work."""
    with suppress(OSError):
        if time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE_SECONDS:
            os.unlink(entry.name, dir_fd=folder)
