"""A group: tables kept together, named for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from rxbackup import errors


@dataclass(frozen=True, slots=True)
class Group:
    """Tables that belong together.

    Attributes:
        name: for people ("Assets"); unique in a database, compared without regard to case.
        tables: qualified names (`schema.name`) of ordinary and partitioned tables, never of partitions.
    """

    name: str
    tables: tuple[str, ...]


def choose_groups(
    groups: Sequence[Group], names: Iterable[str] | None = None, *, skip: Iterable[str] = ()
) -> tuple[Group, ...]:
    """Return the groups with these names, all if `names` is None, without those to skip.

    Raises:
        errors.UsageError: a name is unknown, or nothing is left.
    """
    known = {g.name.casefold(): g for g in groups}
    wanted = [n.strip() for n in names] if names is not None else [g.name for g in groups]
    left_out = {n.strip().casefold() for n in skip}
    unknown = [n for n in [*wanted, *skip] if n.strip().casefold() not in known]
    if unknown:
        raise errors.UsageError(
            f"There is no group named {', '.join(unknown)}.",
            hint=f"The groups are: {', '.join(g.name for g in groups)}.",
        )
    chosen = {n.casefold() for n in wanted} - left_out
    result = tuple(g for g in groups if g.name.casefold() in chosen)
    if not result:
        raise errors.UsageError("No group is chosen.", hint="Choose at least one group.")
    return result


def choose_tables(groups: Sequence[Group], names: Sequence[str] | None) -> tuple[Group, ...]:
    """Return the groups with only these tables, by qualified name; as they are if `names` is None.

    Raises:
        errors.UsageError: a table is in none of these groups, or none is named.
    """
    if names is None:
        return tuple(groups)
    known = [table for group in groups for table in group.tables]
    wanted = {name.strip() for name in names}
    if not wanted:
        raise errors.UsageError("No table is chosen.", hint="Choose at least one table.")
    unknown = sorted(wanted.difference(known))
    if unknown:
        near = list(dict.fromkeys(found for name in unknown for found in _near(name, known)))
        raise errors.UsageError(
            f"There is no table {', '.join(unknown)} in the chosen groups of the backup.",
            hint=f"Did you mean {' or '.join(near)}?" if near else "Name tables with their schema, like public.users.",
        )
    left = (Group(g.name, tuple(t for t in g.tables if t in wanted)) for g in groups)
    return tuple(g for g in left if g.tables)


def _near(name: str, known: Sequence[str]) -> list[str]:
    """Names like this one: with a schema in front, or with a letter or two amiss."""
    same = [each for each in known if each.partition(".")[2].casefold() == name.casefold()]
    return same or get_close_matches(name, known, n=3, cutoff=0.6)
