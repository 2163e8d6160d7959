"""Files that a command writes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rxbackup.errors import Refused, RxbackupError, StoreFull, UsageError


@contextlib.contextmanager
def target(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """The file, complete or not there at all; readable by its owner only, for it holds the rows in clear."""
    if str(path) == "-":
        yield sys.stdout.buffer
        return
    if path.exists() and not force:
        raise Refused(f"{path} is there already.", hint="Choose another name, or give --force.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(descriptor)
        partial.replace(path)
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _write_error(path: Path, error: OSError) -> RxbackupError:
    import errno

    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StoreFull(f"There is no space left for {path}.", hint="Free some space, then try again.")
    return UsageError(f"{path} cannot be written: {error.strerror}.", hint="Choose another place.")
