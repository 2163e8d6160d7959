"""The groups of a running database, and how many rows they hold now."""

from __future__ import annotations

from dataclasses import dataclass

from rxbackup.groups.discovery import discover_groups
from rxbackup.groups.group import Group
from rxbackup.postgres.connecting import connect, set_pins, translated
from rxbackup.postgres.counting import RowCount, count_rows
from rxbackup.postgres.introspection import read_catalogue


@dataclass(frozen=True, slots=True)
class CountedGroup:
    """A group and the rows of its tables, by qualified name."""

    group: Group
    tables: dict[str, RowCount]

    @property
    def total(self) -> RowCount:
        """All rows of the group; an estimate as soon as one table's number is one."""
        counts = self.tables.values()
        return RowCount(sum(c.rows for c in counts), any(c.estimated for c in counts))


def read_groups(url: str) -> tuple[Group, ...]:
    """Return the groups of the database at `url`, without counting.

    Raises:
        errors.DatabaseTrouble: the database is away.
    """
    with connect(url, application_name="rxbackup") as conn, translated("reading the groups"), conn.transaction():
        set_pins(conn)
        return discover_groups(read_catalogue(conn))


def count_groups(url: str) -> tuple[CountedGroup, ...]:
    """Return the groups of the database at `url` with their rows. Takes seconds on a large database.

    Raises:
        errors.DatabaseTrouble: the database is away.
    """
    with connect(url, application_name="rxbackup") as conn, translated("counting rows"), conn.transaction():
        set_pins(conn)
        # A table that hides rows counts what it shows: this is for looking, not for keeping.
        conn.execute("SET LOCAL row_security = on")
        catalogue = read_catalogue(conn)
        groups = discover_groups(catalogue)
        roots = [catalogue.by_name[name] for group in groups for name in group.tables]
        counts = count_rows(conn, catalogue, roots)
        return tuple(CountedGroup(group, {name: counts[name] for name in group.tables}) for group in groups)
