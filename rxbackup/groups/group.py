"""A group: tables kept together, named for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
