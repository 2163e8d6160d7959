"""Lock no more than a restore needs: writers of tables of which nothing differs go on.

What differs is found twice. First without locks that keep anybody away, then behind the locks on the tables that
differed. A transaction of somebody else that wrote to a table which is locked now has ended by then, so whatever it
wrote elsewhere is seen, and that table is locked too. So a restore undoes all of such a transaction, or nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rxbackup import errors
from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.introspection import Catalogue, ForeignKey
from rxbackup.postgres.locking import lock_tables, naming_who_blocks
from rxbackup.restore.damage import Damage
from rxbackup.restore.plan import RestorePlan
from rxbackup.restore.reloading import Reloads

_ROUNDS = 3

_KEEPS_WRITERS_AWAY = "SHARE ROW EXCLUSIVE"
_KEEPS_DEFINITIONS = "ROW EXCLUSIVE"
_KEEPS_ALL_AWAY = "ACCESS EXCLUSIVE"
_ACTS = "cnd"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a restore stands on, as one look at the database found it.

    Attributes:
        damage: of the targets, by oid, of which only a part differs from the backup, or nothing.
        reloads: what maintenance will load anew.
    """

    plan: RestorePlan
    catalogue: Catalogue
    damage: Mapping[int, Damage]
    reloads: Reloads = field(default_factory=Reloads)


def calm_targets(plan: RestorePlan, damage: Mapping[int, Damage]) -> frozenset[int]:
    """The targets, by oid, that hold just the rows of the backup, and that no foreign key's action will reach."""
    calm = {t.table.oid for t in plan.targets if t.table.oid in damage and damage[t.table.oid].nothing}
    while reached := {k.table for k in plan.inside if k.table in calm and k.referenced not in calm and _acts(k)}:
        calm -= reached
    return frozenset(calm)


def wanted_locks(ground: Ground, calm: frozenset[int]) -> dict[int, str]:
    """Modes by oid, with partitions: of targets that differ, of the others, and of what a cascade could reach."""
    plan = ground.plan
    modes = {t.table.oid: _KEEPS_DEFINITIONS if t.table.oid in calm else _KEEPS_WRITERS_AWAY for t in plan.targets}
    modes |= {k.table: "SHARE" for k in plan.from_outside if k.referenced not in calm and _acts(k)}
    wanted = {t.oid: modes[t.root] for t in ground.catalogue.tables if t.root in modes}
    return wanted | dict.fromkeys(ground.reloads.locked, _KEEPS_ALL_AWAY)


def _acts(key: ForeignKey) -> bool:
    return key.on_delete in _ACTS or key.on_update in _ACTS


def lock_what_differs(
    conn: Connection,
    url: str,
    begin: Callable[[], None],
    look: Callable[[], Ground],
    *,
    timeout_seconds: float,
    all_of_it: bool,
) -> tuple[Ground, frozenset[int]]:
    """Begin a transaction that holds the locks which a restore needs.

    Args:
        begin: begins the transaction.
        look: looks at the database from inside it.
        all_of_it: keep writers away from all targets.

    Returns:
        What was found behind the locks, and the targets, by oid, that others may be writing to.

    Raises:
        errors.LockNotAvailable: a table is held by somebody else for too long.
        errors.PlanRefused: the tables' definitions changed meanwhile.
    """
    begin()
    with naming_who_blocks(url):
        ground = look()
    conn.execute("ROLLBACK")
    calm = frozenset() if all_of_it else calm_targets(ground.plan, ground.damage)
    for chances in reversed(range(_ROUNDS)):
        wanted = wanted_locks(ground, calm)
        begin()
        lock_tables(conn, url, wanted, timeout_seconds=timeout_seconds)
        ground = look()
        still = calm & calm_targets(ground.plan, ground.damage)
        if still == calm and wanted == wanted_locks(ground, calm):
            return ground, calm
        conn.execute("ROLLBACK")
        calm = still if chances > 1 else frozenset()
    raise errors.PlanRefused(
        "The tables are being changed while they are about to be restored.",
        hint="Look at the plan again, then restore.",
    )
