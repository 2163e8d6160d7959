"""What a restore will do, as a value, and why it will not. Pure.

The plan carries a fingerprint of the ground it was made on. `run` makes it again behind its locks and refuses if the
ground has moved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rxbackup import errors
from rxbackup.groups.group import Group, choose_groups, choose_tables
from rxbackup.postgres.counting import RowCount
from rxbackup.postgres.foreign_keys import parents_first
from rxbackup.postgres.introspection import Catalogue, Column, ForeignKey, Table, is_own_schema
from rxbackup.postgres.materialized_views import MaterializedView
from rxbackup.restore.drift import Drift, find_drift
from rxbackup.vault.manifest import Manifest, SequenceEntry, TableEntry

MODES = ("exact", "missing", "changed")

_LARGE_BYTES = 1 << 20

_LOADED_BYTES_A_SECOND = 25 << 20
"""With indexes and keys built anew; measured on two slow cores."""

_FEW_SECONDS, _MANY_SECONDS = 10, 90


@dataclass(frozen=True, slots=True)
class KeptRow:
    """Rows of one table, by qualified name, that stay as they are now: those whose column holds a value.

    Attributes:
        value: compared as text, without regard to case.
    """

    table: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What to put back: these groups, or all but the ones to skip.

    Attributes:
        tables: of the groups' tables only these, by qualified name; None is all of them.
        set_aside: whether rows that foreign keys across the border of the choice speak against are left as they are,
            with the rows that depend on them. Otherwise the restore is refused where there are some.
        keep: rows that stay as they are now, with the rows they refer to.
        maintenance: whether tables that must mostly be loaded anew may be emptied and rebuilt, locked meanwhile.
        mode: `exact` makes every chosen table hold just the rows of the backup. `missing` puts back rows that are gone
            and leaves all others alone. `changed` also sets right rows that differ; newer rows stay.
    """

    groups: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    mode: str = "exact"
    tables: tuple[str, ...] | None = None
    set_aside: bool = False
    keep: tuple[KeptRow, ...] = ()
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the restore cannot go on, in words, and what to do."""

    kind: str
    message: str
    hint: str
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetTable:
    """One table to restore: an ordinary one, or a partitioned one with all its partitions.

    Attributes:
        columns: those that are set, in the table's order.
        key: the columns that name a row; empty if only the whole row does.
        entries: where its rows are in the backup; several for a partitioned table.
        live_rows: rows there now, None if nobody counted.
    """

    table: Table
    group: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    entries: tuple[TableEntry, ...]
    live_rows: RowCount | None

    @property
    def name(self) -> str:
        """`schema.name`."""
        return self.table.qualified

    @property
    def backup_rows(self) -> int:
        """Rows in the backup."""
        return sum(e.rows for e in self.entries)

    @property
    def backup_bytes(self) -> int:
        """Bytes of row text in the backup."""
        return sum(e.raw_bytes for e in self.entries)

    @property
    def is_large(self) -> bool:
        """Whether maintenance makes it quicker. Small tables are set right sooner than keys are taken off and on."""
        return self.backup_bytes >= _LARGE_BYTES


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What a restore will do.

    Attributes:
        targets: the tables, parents before children.
        rings: foreign keys between targets that form a ring, so that no order suits them.
        inside: foreign keys between targets.
        from_outside: foreign keys of tables that are not restored, onto targets.
        to_outside: foreign keys of targets onto tables that are not restored.
        in_backup: names of all tables in the backup, chosen or not, and the group of each.
        sequences: those to move on.
        drift: columns that are no longer what they were when the backup was taken.
        problems: reasons to refuse. Empty means the restore may begin.
        fingerprint: of the manifest, the chosen tables, the mode and the schema.
        stale_views: materialized views that read from the targets, those that others read from first.
    """

    backup_id: str
    backup_name: str
    mode: str
    request: RestoreRequest
    targets: tuple[TargetTable, ...]
    rings: frozenset[ForeignKey]
    inside: tuple[ForeignKey, ...]
    from_outside: tuple[ForeignKey, ...]
    to_outside: tuple[ForeignKey, ...]
    in_backup: Mapping[str, str]
    sequences: tuple[SequenceEntry, ...]
    drift: tuple[Drift, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    fingerprint: str
    stale_views: tuple[MaterializedView, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.problems

    def refuse_if_blocked(self) -> None:
        """Raise errors.PlanRefused with every problem in words, if there is one."""
        if self.problems:
            raise errors.PlanRefused(
                " ".join(p.message for p in self.problems), hint=" ".join(dict.fromkeys(p.hint for p in self.problems))
            )


def plan_restore(
    manifest: Manifest, request: RestoreRequest, catalogue: Catalogue, counts: Mapping[str, RowCount] | None = None
) -> RestorePlan:
    """Return what restoring `request` from `manifest` onto the database described by `catalogue` would do.

    Raises:
        errors.UsageError: a group or a table is unknown to the backup, or there is no such mode.
    """
    _check(request)
    every = [Group(g.name, tuple(g.tables)) for g in manifest.groups]
    groups = choose_tables(choose_groups(every, request.groups, skip=request.skip), request.tables)
    chosen = {name: g.name for g in groups for name in g.tables}
    in_backup = {name: g.name for g in every for name in g.tables}
    whole = len(chosen) == len(in_backup)
    entries: dict[str, list[TableEntry]] = {name: [] for name in chosen}
    for entry in manifest.tables:
        name = entry.root or entry.qualified
        if name in chosen:
            entries[name].append(entry)
    problems: list[Problem] = []
    targets = _targets(entries, chosen, catalogue, counts or {}, problems)
    drift = tuple(d for t in targets for d in find_drift(t.table, t.entries))
    problems += [Problem(f"column-{d.kind}", d.message, d.hint, (d.table,)) for d in drift if d.blocks]
    oids = {t.table.oid for t in targets}
    keys = [_between_roots(k, catalogue) for k in catalogue.foreign_keys]
    inside = tuple(k for k in keys if k.table in oids and k.referenced in oids)
    order, rings = parents_first([t.table.oid for t in targets], _parents(inside))
    by_oid = {t.table.oid: t for t in targets}
    return RestorePlan(
        backup_id=manifest.backup_id,
        backup_name=manifest.name,
        mode=request.mode,
        request=request,
        targets=tuple(by_oid[oid] for oid in order),
        rings=frozenset(
            k for k in inside if k.table != k.referenced and any(k.table in r and k.referenced in r for r in rings)
        ),
        inside=inside,
        from_outside=tuple(k for k in keys if k.referenced in oids and k.table not in oids),
        to_outside=tuple(k for k in keys if k.table in oids and k.referenced not in oids),
        in_backup=in_backup,
        sequences=_sequences(manifest, set(chosen), whole=whole),
        drift=drift,
        problems=tuple(problems),
        warnings=_warnings(
            in_backup,
            drift,
            catalogue,
            whole=whole,
            locked=[t for t in targets if t.is_large] if request.maintenance else [],
        ),
        fingerprint=_fingerprint(manifest, request.mode, targets, keys),
    )


def _check(request: RestoreRequest) -> None:
    if request.mode not in MODES:
        raise errors.UsageError(f"There is no mode {request.mode!r}.", hint=f"The modes are: {', '.join(MODES)}.")
    if request.maintenance and request.mode != "exact":
        raise errors.UsageError(
            "With maintenance, tables are emptied and loaded anew: that goes with the mode exact only.",
            hint="Leave out maintenance, or choose the mode exact.",
        )


def _targets(
    entries: Mapping[str, list[TableEntry]],
    chosen: Mapping[str, str],
    catalogue: Catalogue,
    counts: Mapping[str, RowCount],
    problems: list[Problem],
) -> list[TargetTable]:
    targets = []
    missing, foreign, ruled = [], [], []
    for name, parts in sorted(entries.items()):
        table = catalogue.by_name.get(name)
        if table is None or table.is_partition or is_own_schema(table.schema):
            missing.append(name)
            continue
        if not all(t.owned for t in (table, *catalogue.leaves_of(table))):
            foreign.append(name)
        if table.has_rules:
            ruled.append(name)
        columns = _columns(table, parts)
        targets.append(TargetTable(table, chosen[name], columns, _key(table, columns), tuple(parts), counts.get(name)))
    _add_problem(
        problems,
        "table-missing",
        missing,
        "{} is in the backup but not in the database.",
        "Create the tables again first (a backup holds data, not table definitions), or skip their groups.",
    )
    _add_problem(
        problems,
        "not-owner",
        foreign,
        "The role may not restore {}, because it does not own it.",
        "Let the role of RXBACKUP_DATABASE_URL own these tables, or be a member of the role that does.",
    )
    _add_problem(
        problems,
        "rules",
        ruled,
        "{} has rewrite rules, which would change what is restored.",
        "Disable the rules (ALTER TABLE … DISABLE RULE) and drop them for the restore, or skip these groups.",
    )
    return targets


def _columns(table: Table, parts: Sequence[TableEntry]) -> tuple[Column, ...]:
    """The columns to set: those that both the table and the backup have."""
    stored = {c.name for entry in parts for c in entry.copied_columns}
    return tuple(c for c in table.copied_columns if c.name in stored)


def _key(table: Table, columns: Sequence[Column]) -> tuple[str, ...]:
    key = table.row_key
    return key if set(key) <= {c.name for c in columns} else ()


def _add_problem(problems: list[Problem], kind: str, names: Sequence[str], message: str, hint: str) -> None:
    if names:
        problems.append(Problem(kind, message.format(listed(names)), hint, tuple(names)))


def _between_roots(key: ForeignKey, catalogue: Catalogue) -> ForeignKey:
    """See a key of a partition as a key of the table it is a part of: there, not all rows need to hold it."""
    whole = catalogue.by_oid[key.table].root == key.table
    return ForeignKey(
        key.name,
        catalogue.by_oid[key.table].root,
        key.columns,
        catalogue.by_oid[key.referenced].root,
        key.referenced_columns,
        key.on_delete,
        key.on_update,
        key.deferrable,
        key.validated and whole,
    )


def _parents(keys: Iterable[ForeignKey]) -> dict[int, set[int]]:
    parents: dict[int, set[int]] = {}
    for key in keys:
        parents.setdefault(key.table, set()).add(key.referenced)
    return parents


def _sequences(manifest: Manifest, chosen: set[str], *, whole: bool) -> tuple[SequenceEntry, ...]:
    """Sequences of chosen tables; those that belong to no table only when everything is restored."""
    roots = {e.qualified: e.root or e.qualified for e in manifest.tables}
    return tuple(
        s
        for s in manifest.sequences
        if (s.owner is None and whole)
        or (s.owner and roots.get(name := f"{s.owner['schema']}.{s.owner['table']}", name) in chosen)
    )


def _warnings(
    in_backup: Mapping[str, str],
    drift: Sequence[Drift],
    catalogue: Catalogue,
    *,
    whole: bool,
    locked: Sequence[TargetTable],
) -> tuple[str, ...]:
    new = [t.qualified for t in catalogue.roots if t.qualified not in in_backup] if whole else []
    return (
        *([f"Not in the backup, so left as they are: {listed(new)}."] if new else []),
        *(d.message for d in drift if not d.blocks),
        *([_locked_warning(locked)] if locked else []),
    )


def _locked_warning(large: Sequence[TargetTable]) -> str:
    seconds = sum(t.backup_bytes for t in large) / _LOADED_BYTES_A_SECOND
    if seconds < _FEW_SECONDS:
        span = "a few seconds"
    elif seconds < _MANY_SECONDS:
        span = f"about {seconds:.0f} seconds"
    else:
        span = f"about {seconds / 60:.0f} minutes"
    return (
        f"Nobody can read {listed([t.name for t in large])}, or tables tied to them by foreign keys, while they are "
        f"loaded anew: for {span}, if all of them must be."
    )


def _fingerprint(manifest: Manifest, mode: str, targets: Sequence[TargetTable], keys: Sequence[ForeignKey]) -> str:
    digest = hashlib.sha256(f"{manifest.backup_id} {mode}".encode())
    for target in sorted(targets, key=lambda t: t.name):
        digest.update(repr((target.name, target.table.oid, target.table.kind, target.table.columns)).encode())
    for key in sorted(keys, key=repr):
        digest.update(repr(key).encode())
    return digest.hexdigest()


def listed(names: Sequence[str], most: int = 5) -> str:
    """Join names for people, the first few by name."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
