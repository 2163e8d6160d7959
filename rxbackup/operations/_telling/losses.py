"""Does a backup look as if data had been lost since the ones before? Pure: row counts in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

LEAST_ROWS = 100
"""Fewer rows gone are everyday life."""
_HALF = 0.5
_QUIET = 0.2
_LEAST_SEGMENTS = 10
_LEAST_CHANGED_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Counted:
    """One table of a backup; partitions are counted together, under the name of their root.

    Attributes:
        share_read: which share of its segments had changed since the backup before; None if that is not known.
        files: its relfilenodes: where they are others, the table was rewritten as a whole.
    """

    name: str
    group: str
    rows: int
    segments: int = 0
    share_read: float | None = None
    files: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Loss:
    """A finding. `kind` is dropped, emptied, shrunk or rewritten."""

    table: str
    kind: str
    before: int
    after: int

    @property
    def in_words(self) -> str:
        """As "emptied, 1 200 rows before"."""
        before, after = (f"{n:,}".replace(",", "\N{NO-BREAK SPACE}") for n in (self.before, self.after))
        match self.kind:
            case "dropped":
                return f"gone, with {before} rows"
            case "emptied":
                return f"emptied: {before} rows before"
            case "shrunk":
                return f"{after} rows, {before} before ({self.after / self.before - 1:.0%})"
            case _:
                return f"most of its {after} rows changed at once"


def find_losses(
    new: Mapping[str, Counted],
    history: Sequence[Mapping[str, int]],
    previous: Mapping[str, Counted],
    *,
    groups: frozenset[str] | None,
) -> tuple[Loss, ...]:
    """Compare a backup with its history.

    Args:
        new: its tables by name.
        history: rows by table of the complete backups before, the newest first.
        previous: the tables of the newest of them.
        groups: what the new backup was to hold; None is everything.
    """
    losses = [
        Loss(table.name, "dropped", table.rows, 0)
        for table in previous.values()
        if table.name not in new and table.rows and (groups is None or table.group in groups)
    ]
    for table in new.values():
        found = _look(table, [rows[table.name] for rows in history if table.name in rows], previous.get(table.name))
        if found is not None:
            losses.append(found)
    return tuple(sorted(losses, key=lambda loss: (loss.kind == "rewritten", -loss.before, loss.table)))


def _look(table: Counted, counts: Sequence[int], previous: Counted | None) -> Loss | None:
    if not counts:
        return None
    if table.rows == 0:
        # A table that was empty before is one that fills and empties: a queue.
        return Loss(table.name, "emptied", counts[0], 0) if min(counts) > 0 else None
    usual = round(median(counts))
    if usual - table.rows >= LEAST_ROWS and table.rows <= usual * _HALF:
        return Loss(table.name, "shrunk", usual, table.rows)
    return Loss(table.name, "rewritten", counts[0], table.rows) if _is_mass_change(table, previous) else None


def _is_mass_change(table: Counted, previous: Counted | None) -> bool:
    if previous is None or table.share_read is None or previous.share_read is None:
        return False
    large = table.segments >= _LEAST_SEGMENTS and table.rows >= _LEAST_CHANGED_ROWS
    return (
        large
        and table.share_read >= _HALF
        and previous.share_read <= _QUIET
        # VACUUM FULL and CLUSTER move every row, and change none.
        and table.files == previous.files
    )
