"""What a restore will do, as a value, and why it will not. Pure.

The plan carries a fingerprint of the ground it was made on. `run` makes it again behind its locks and refuses if the
ground has moved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rxbackup import errors
from rxbackup.groups.group import Group, choose_groups
from rxbackup.postgres.counting import RowCount
from rxbackup.postgres.foreign_keys import parents_first
from rxbackup.postgres.introspection import Catalogue, Column, ForeignKey, Table, is_own_schema
from rxbackup.vault.manifest import Manifest, SequenceEntry, TableEntry

MODES = ("exact", "missing", "changed")


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """What to put back: these groups, or all but the ones to skip.

    Attributes:
        mode: `exact` makes every chosen table hold just the rows of the backup. `missing` puts back rows that are gone
            and leaves all others alone. `changed` also sets right rows that differ; newer rows stay.
    """

    groups: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    mode: str = "exact"


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


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What a restore will do.

    Attributes:
        targets: the tables, parents before children.
        rings: foreign keys between targets that form a ring, so that no order suits them.
        inside: foreign keys between targets.
        from_outside: foreign keys of tables that are not restored, onto targets.
        to_outside: foreign keys of targets onto tables that are not restored.
        in_backup: names of all tables in the backup, chosen or not.
        sequences: those to move on.
        problems: reasons to refuse. Empty means the restore may begin.
        fingerprint: of the manifest, the selection and the schema.
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
    in_backup: frozenset[str]
    sequences: tuple[SequenceEntry, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    fingerprint: str

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
        errors.UsageError: a group is unknown to the backup, or there is no such mode.
    """
    if request.mode not in MODES:
        raise errors.UsageError(f"There is no mode {request.mode!r}.", hint=f"The modes are: {', '.join(MODES)}.")
    groups = choose_groups([Group(g.name, tuple(g.tables)) for g in manifest.groups], request.groups, skip=request.skip)
    chosen = {name: g.name for g in groups for name in g.tables}
    entries: dict[str, list[TableEntry]] = {name: [] for name in chosen}
    for entry in manifest.tables:
        name = entry.root or entry.qualified
        if name in chosen:
            entries[name].append(entry)
    problems: list[Problem] = []
    targets = _targets(entries, chosen, catalogue, counts or {}, problems)
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
        in_backup=frozenset(name for g in manifest.groups for name in g.tables),
        sequences=_sequences(manifest, set(chosen), whole=len(groups) == len(manifest.groups)),
        problems=tuple(problems),
        warnings=_warnings(manifest, targets, catalogue, whole=len(groups) == len(manifest.groups)),
        fingerprint=_fingerprint(manifest, targets, keys),
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
        columns = _columns(table, parts, problems)
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


def _columns(table: Table, parts: Sequence[TableEntry], problems: list[Problem]) -> tuple[Column, ...]:
    """The columns to set; a difference that would lose or invent data becomes a problem."""
    live = {c.name: c for c in table.columns}
    stored = {c.name: c for entry in parts for c in entry.columns if not c.generated}
    lost = sorted(name for name in stored if name not in live or live[name].generated)
    if lost:
        problems.append(
            Problem(
                "column-missing",
                f"{table.qualified} no longer has the column {', '.join(lost)}, whose values the backup holds.",
                "Add the column again before the restore, or skip the group.",
                (table.qualified,),
            )
        )
    without_value = sorted(
        c.name
        for c in table.copied_columns
        if parts and c.name not in stored and c.not_null and not c.has_default and not c.identity
    )
    if without_value:
        problems.append(
            Problem(
                "column-new",
                f"{table.qualified} has the new column {', '.join(without_value)}, for which the backup has no value.",
                "Give the column a default, or skip the group.",
                (table.qualified,),
            )
        )
    return tuple(c for c in table.copied_columns if c.name in stored)


def _key(table: Table, columns: Sequence[Column]) -> tuple[str, ...]:
    key = table.row_key
    return key if set(key) <= {c.name for c in columns} else ()


def _add_problem(problems: list[Problem], kind: str, names: Sequence[str], message: str, hint: str) -> None:
    if names:
        problems.append(Problem(kind, message.format(listed(names)), hint, tuple(names)))


def _between_roots(key: ForeignKey, catalogue: Catalogue) -> ForeignKey:
    """See a key of a partition as a key of the table it is a part of."""
    return ForeignKey(
        key.name,
        catalogue.by_oid[key.table].root,
        key.columns,
        catalogue.by_oid[key.referenced].root,
        key.referenced_columns,
        key.on_delete,
        key.on_update,
        key.deferrable,
        key.validated,
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
    manifest: Manifest, targets: Sequence[TargetTable], catalogue: Catalogue, *, whole: bool
) -> tuple[str, ...]:
    warnings = []
    if whole:
        known = {name for g in manifest.groups for name in g.tables}
        new = [t.qualified for t in catalogue.roots if t.qualified not in known]
        if new:
            warnings.append(f"Not in the backup, so left as they are: {listed(new)}.")
    for target in targets:
        stored = {c.name: c.type for entry in target.entries for c in entry.columns}
        changed = [c.name for c in target.columns if stored[c.name] != c.type]
        if changed:
            warnings.append(
                f"{target.name}: {', '.join(changed)} changed type since the backup. "
                "PostgreSQL converts the values, or the whole restore is refused."
            )
        added = [c.name for c in target.table.copied_columns if c.name not in stored and target.entries]
        if added:
            warnings.append(
                f"{target.name}: {', '.join(added)} is newer than the backup. "
                "Rows that come back get its default; rows that stayed keep their value."
            )
    return tuple(warnings)


def _fingerprint(manifest: Manifest, targets: Sequence[TargetTable], keys: Sequence[ForeignKey]) -> str:
    digest = hashlib.sha256(manifest.backup_id.encode())
    for target in sorted(targets, key=lambda t: t.name):
        digest.update(repr((target.name, target.table.oid, target.table.kind, target.table.columns)).encode())
    for key in sorted(keys, key=repr):
        digest.update(repr(key).encode())
    return digest.hexdigest()


def listed(names: Sequence[str], most: int = 5) -> str:
    """Join names for people, the first few by name."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
