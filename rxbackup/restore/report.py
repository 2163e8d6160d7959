"""What a restore did, or would do, as values."""

from __future__ import annotations

from dataclasses import dataclass

from rxbackup.postgres.sampling import RowSample
from rxbackup.restore.consequences import Consequence


@dataclass(frozen=True, slots=True)
class TableResult:
    """What happened to one table, in rows; `rows` is what it holds now.

    Attributes:
        set_aside: rows left as they are because of foreign keys: rows of the backup that do not come back, and rows
            there now that stay although the backup does not have them so.
        segments: how many segments of the backup may differ from the table, of how many; None where nobody could tell,
            and the table was taken whole.
        samples: in a rehearsal, some of the rows that would be added, changed or removed.
        reloaded: the table was emptied and loaded anew: all its rows were removed, and those of the backup added.
    """

    added: int
    changed: int
    removed: int
    rows: int
    seconds: float
    set_aside: int = 0
    segments: tuple[int, int] | None = None
    samples: tuple[RowSample, ...] = ()
    reloaded: bool = False


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore did, by qualified table name, and the sequences it moved on.

    Attributes:
        consequences: in a rehearsal, what the restore would be refused for.
    """

    tables: dict[str, TableResult]
    sequences: tuple[str, ...]
    seconds: float
    consequences: tuple[Consequence, ...] = ()
