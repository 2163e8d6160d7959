"""Let one more user pass through folders, and nothing else.

PostgreSQL refuses to run as root, so root starts it as another user. That user must be able to *pass through* every
folder above its data. Where a folder does not let it, one entry in the folder's access list does, or, on file systems
without access lists, the search bit for others. Reading a folder's contents is never granted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from rxbackup.errors import Refused

_ATTRIBUTE = "system.posix_acl_access"
_VERSION = 2
_UNDEFINED_ID = 0xFFFFFFFF
_OWNER, _USER, _OWNING_GROUP, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_READ, _WRITE, _SEARCH = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a POSIX access list, as the kernel keeps it."""

    tag: int
    permissions: int
    id: int = _UNDEFINED_ID


def let_pass(folder: Path, *, uid: int, gids: frozenset[int]) -> list[Path]:
    """Let a user pass through every folder from `/` down to `folder`.

    Returns the folders that were changed. Raises Refused where one can not be.
    """
    changed = []
    for step in (*reversed(folder.parents), folder):
        if not may_pass(step, uid=uid, gids=gids):
            _grant(step, uid)
            changed.append(step)
    return changed


def may_pass(folder: Path, *, uid: int, gids: frozenset[int]) -> bool:
    """Whether a user other than root has search permission on this one folder."""
    facts = folder.stat()
    entries = _read_entries(folder, facts.st_mode)
    if uid == facts.st_uid:
        return any(e.permissions & _SEARCH for e in entries if e.tag == _OWNER)
    mask = next((e.permissions for e in entries if e.tag == _MASK), _READ | _WRITE | _SEARCH)
    named = [e for e in entries if e.tag == _USER and e.id == uid]
    if named:
        return bool(named[0].permissions & mask & _SEARCH)
    groups = [
        e for e in entries if (e.tag == _OWNING_GROUP and facts.st_gid in gids) or (e.tag == _GROUP and e.id in gids)
    ]
    if groups:
        return any(e.permissions & mask & _SEARCH for e in groups)
    return any(e.permissions & _SEARCH for e in entries if e.tag == _OTHER)


def with_search_for(entries: list[Entry], uid: int) -> list[Entry]:
    """The access list with search permission for one more user, and no more permission for anybody else."""
    mask = next((e.permissions for e in entries if e.tag == _MASK), None)
    kept = []
    for entry in entries:
        if entry.tag == _MASK or (entry.tag == _USER and entry.id == uid):
            continue
        in_group_class = entry.tag in (_USER, _OWNING_GROUP, _GROUP)
        # A wider mask would wake permissions that the old one kept asleep: write down what they were worth.
        worth = entry.permissions if mask is None or not in_group_class else entry.permissions & mask
        kept.append(Entry(entry.tag, worth, entry.id))
    kept.append(Entry(_USER, _SEARCH, uid))
    widest = 0
    for entry in kept:
        if entry.tag in (_USER, _OWNING_GROUP, _GROUP):
            widest |= entry.permissions
    kept.append(Entry(_MASK, widest))
    # The kernel wants them in this order.
    return sorted(kept, key=lambda e: (e.tag, e.id))


def _grant(folder: Path, uid: int) -> None:
    facts = folder.stat()
    try:
        os.setxattr(folder, _ATTRIBUTE, _pack(with_search_for(_read_entries(folder, facts.st_mode), uid)))
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
            raise _refused(folder, uid, error) from error
    else:
        return
    try:
        folder.chmod(stat.S_IMODE(facts.st_mode) | stat.S_IXOTH)
    except OSError as error:
        raise _refused(folder, uid, error) from error


def _refused(folder: Path, uid: int, error: OSError) -> Refused:
    return Refused(
        f"PostgreSQL runs as user {uid}, who may not pass through {folder}, and that could not be changed: {error}",
        hint="Set RXBACKUP_DATA_DIR to a folder below one that everybody may pass through, such as /var/lib/rxbackup.",
    )


def _read_entries(folder: Path, mode: int) -> list[Entry]:
    with contextlib.suppress(OSError):
        return _unpack(os.getxattr(folder, _ATTRIBUTE))
    return [
        Entry(_OWNER, mode >> 6 & 7),
        Entry(_OWNING_GROUP, mode >> 3 & 7),
        Entry(_OTHER, mode & 7),
    ]


def _pack(entries: list[Entry]) -> bytes:
    return struct.pack("<I", _VERSION) + b"".join(struct.pack("<HHI", e.tag, e.permissions, e.id) for e in entries)


def _unpack(raw: bytes) -> list[Entry]:
    return [Entry(*struct.unpack_from("<HHI", raw, at)) for at in range(4, len(raw), 8)]
