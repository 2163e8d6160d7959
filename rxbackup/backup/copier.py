"""Copy segments into the vault, here or in a process of its own.

Threads would fight over the interpreter lock (measured: twice the time of processes), so big backups start one
`python -m rxbackup.backup FD` a core and speak with it over a socket pair; its command line holds no secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection as Line

from rxbackup import errors
from rxbackup.postgres.cleanliness import is_unchanged
from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.consistent_read import join_snapshot
from rxbackup.postgres.copy_out import copy_query, read_rows
from rxbackup.vault.chunking import CHUNK_BYTES
from rxbackup.vault.vault import ChunkReceipt, Vault, VaultRecipe, open_vault


@dataclass(frozen=True, slots=True)
class EarlierSegment:
    """The same segment in the backup that this one leans on.

    Attributes:
        horizon: the oldest transaction open then, if the segment may be taken over where nothing changed; None if its
            chunks only serve as anchors.
    """

    rows: int
    raw_bytes: int
    chunks: tuple[str, ...]
    horizon: int | None


@dataclass(frozen=True, slots=True)
class SegmentTask:
    """One segment to copy. `table` is its place in the plan, `position` its place in the table."""

    table: int
    position: int
    schema: str
    name: str
    columns: tuple[str, ...]
    first_block: int
    end_block: int | None
    earlier: EarlierSegment | None = None


@dataclass(frozen=True, slots=True)
class SegmentCopied:
    """What one segment held and where it is; `receipts` is empty and `was_read` false if it was taken over."""

    task: SegmentTask
    rows: int
    raw_bytes: int
    chunks: tuple[str, ...]
    receipts: tuple[ChunkReceipt, ...]
    was_read: bool


@dataclass(frozen=True, slots=True)
class CopierSetup:
    """What a copier process needs to begin."""

    source_url: str
    exported_snapshot: str
    vault: VaultRecipe

    def __repr__(self) -> str:
        """Hide the password and the keys."""
        return "CopierSetup(…)"


def copy_segment(conn: Connection, vault: Vault, task: SegmentTask) -> SegmentCopied:
    """Take a segment over if nothing in it changed, else read it and store its chunks.

    Raises:
        errors.DatabaseTrouble, errors.StoreTrouble: with the table named.
    """
    taken_over = take_over(conn, task)
    if taken_over:
        return taken_over
    earlier = task.earlier
    rows = raw_bytes = 0
    receipts: list[ChunkReceipt] = []
    anchors = earlier.chunks if earlier else ()
    for piece, ended in _pieces(conn, task):
        # The chunk that lay at the same place probably resembles this one.
        anchor = anchors[len(receipts)] if len(receipts) < len(anchors) else None
        receipts.append(vault.put_chunk(piece, anchor=anchor))
        raw_bytes += len(piece)
        rows += ended
    return SegmentCopied(task, rows, raw_bytes, tuple(r.id for r in receipts), tuple(receipts), was_read=True)


def take_over(conn: Connection, task: SegmentTask) -> SegmentCopied | None:
    """The segment as it was in the earlier backup, or None if it changed or nobody can tell."""
    earlier = task.earlier
    if earlier is None or earlier.horizon is None:
        return None
    unchanged = is_unchanged(
        conn,
        task.schema,
        task.name,
        first_block=task.first_block,
        end_block=task.end_block,
        rows=earlier.rows,
        horizon=earlier.horizon,
    )
    if not unchanged:
        return None
    return SegmentCopied(task, earlier.rows, earlier.raw_bytes, earlier.chunks, (), was_read=False)


def _pieces(conn: Connection, task: SegmentTask) -> Iterator[tuple[memoryview, int]]:
    query = copy_query(task.schema, task.name, task.columns, task.first_block, task.end_block)
    return read_rows(conn, query, piece_bytes=CHUNK_BYTES, doing=f"reading {task.schema}.{task.name}")


def serve(line: Line) -> None:
    """Answer tasks until the leader hangs up: the life of a copier process."""
    setup: CopierSetup = line.recv()
    try:
        conn = join_snapshot(setup.source_url, setup.exported_snapshot)
        vault = open_vault(setup.vault)
        line.send(None)
        while True:
            line.send(copy_segment(conn, vault, line.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except errors.RxbackupError as error:
        line.send(error)
    except Exception as error:  # noqa: BLE001 - whatever happened, the leader must hear of it and stop
        line.send(errors.RxbackupError(f"A copy process failed: {type(error).__name__}: {error}"))
