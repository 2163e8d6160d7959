"""Move sequences on after a restore, so that the next value they hand out is fresh."""

from __future__ import annotations

from collections.abc import Sequence

from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.introspection import Catalogue
from rxbackup.postgres.introspection import Sequence as PgSequence
from rxbackup.postgres.sequences import Standing, furthest_used, read_standings, restart, safe_restart
from rxbackup.vault.manifest import SequenceEntry


def move_sequences_on(conn: Connection, entries: Sequence[SequenceEntry], catalogue: Catalogue) -> tuple[str, ...]:
    """Restart the sequences that stand before a value in use. Returns their names.

    A sequence is found by the column that draws from it, else by name; one that is gone is passed over: its table is
    there and holds its rows all the same.
    """
    found = [(entry, live) for entry in entries if (live := _live(entry, catalogue)) is not None]
    standings = read_standings(conn, [live for _, live in found])
    moved = []
    for entry, live in found:
        value = safe_restart(
            live,
            standings[live.oid],
            Standing(entry.last_value, entry.is_called),
            used=furthest_used(conn, live, catalogue),
        )
        if value is not None:
            restart(conn, live, value)
            moved.append(live.qualified)
    return tuple(moved)


def _live(entry: SequenceEntry, catalogue: Catalogue) -> PgSequence | None:
    by_name = {s.qualified: s for s in catalogue.sequences}
    if entry.owner is not None:
        table = catalogue.by_name.get(f"{entry.owner['schema']}.{entry.owner['table']}")
        for sequence in catalogue.sequences:
            if table is not None and sequence.owner == (table.oid, entry.owner["column"]):
                return sequence
    return by_name.get(f"{entry.schema}.{entry.name}")
