"""What a drill builds: the tables of the manifest, bound as the protected database binds its own now. Pure.

Where the two no longer agree, the drill can prove less than a restore, and says what and why. That is drift of the
database, no damage of the backup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from rxbackup.postgres.definitions import Constraint, Definition, Reference
from rxbackup.postgres.introspection import Catalogue, Column, Table
from rxbackup.postgres.scratch_tables import ScratchColumn, ScratchReference, ScratchSequence, ScratchTable
from rxbackup.postgres.sequences import Standing
from rxbackup.vault.manifest import ColumnEntry, Manifest, SequenceEntry, TableEntry
from rxbackup.verify.report import Obstacle

_INTEGERS = frozenset({"smallint", "integer", "bigint"})


@dataclass(frozen=True, slots=True)
class DrillTable:
    """A table of the backup and what is made of it; `shape` is None where it cannot be made at all."""

    entry: TableEntry
    shape: ScratchTable | None


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """What a drill builds.

    Attributes:
        tables: in the manifest's order.
        roots: partitioned tables, which hold no rows themselves.
        obstacles: what cannot be proven, known before anything is tried.
    """

    tables: tuple[DrillTable, ...]
    roots: tuple[ScratchTable, ...]
    references: tuple[ScratchReference, ...]
    sequences: tuple[ScratchSequence, ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def shapes(self) -> tuple[ScratchTable, ...]:
        """Everything to be made, partitioned tables first."""
        return (*self.roots, *(t.shape for t in self.tables if t.shape is not None))

    @property
    def schemas(self) -> tuple[str, ...]:
        """The schemas that all of it is in."""
        names = [t.schema for t in self.shapes] + [s.schema for s in self.sequences]
        return tuple(dict.fromkeys(names))

    def fresh_column(self, table: ScratchTable) -> str | None:
        """The column of a table that draws from a sequence and is alone a key, if there is one."""
        drawn = {s.owner[2] for s in self.sequences if s.owner and s.owner[:2] == (table.schema, table.name)}
        keys = [c.columns for c in table.constraints if c.kind in "pui"]
        return next((k[0] for k in keys if len(k) == 1 and k[0] in drawn), None)


def live_oids(manifest: Manifest, catalogue: Catalogue) -> tuple[int, ...]:
    """The tables of the protected database whose definitions matter: those of the backup and their ancestors."""
    found = [catalogue.by_name[e.qualified] for e in manifest.tables if e.qualified in catalogue.by_name]
    roots = {t.root for t in found}
    ancestors = [t for t in catalogue.tables if t.kind == "p" and (t.oid in roots or t.root in roots)]
    return tuple(dict.fromkeys(t.oid for t in (*found, *ancestors)))


def moved_types(manifest: Manifest, catalogue: Catalogue) -> frozenset[str]:
    """Texts of types that the backup names and that are not those of the same column now: they need a look."""
    live = {t.qualified: {c.name: c.type for c in t.columns} for t in catalogue.tables}
    return frozenset(
        column.type
        for entry in manifest.tables
        for column in entry.columns
        if live.get(entry.qualified, {}).get(column.name) != column.type
    )


def plan_drill(
    manifest: Manifest,
    catalogue: Catalogue,
    definitions: Mapping[int, Definition],
    references: Sequence[Reference],
    known_types: AbstractSet[str],
) -> DrillPlan:
    """Return what to build.

    Args:
        definitions, references: of `live_oids`.
        known_types: those of `moved_types` that exist.
    """
    planner = _Planner(manifest, catalogue, definitions, known_types)
    tables = tuple(DrillTable(entry, planner.shape(entry)) for entry in manifest.tables)
    shapes = {t.shape.qualified: t.shape for t in tables if t.shape is not None}
    roots = tuple(planner.roots(shapes.values()))
    made = shapes | {t.qualified: t for t in roots}
    # A partition whose partitioned table could not be described stands alone.
    tables = tuple(replace(t, shape=_orphaned(t.shape, made)) for t in tables)
    made |= {t.shape.qualified: t.shape for t in tables if t.shape is not None}
    return DrillPlan(
        tables,
        roots,
        tuple(planner.references(references, made)),
        tuple(_sequences(manifest.sequences, shapes)),
        tuple(planner.obstacles),
    )


def _orphaned(shape: ScratchTable | None, made: Mapping[str, ScratchTable]) -> ScratchTable | None:
    if shape is None or shape.parent is None or ".".join(shape.parent) in made:
        return shape
    return replace(shape, parent=None, bound="")


class _Planner:
    def __init__(
        self,
        manifest: Manifest,
        catalogue: Catalogue,
        definitions: Mapping[int, Definition],
        known_types: AbstractSet[str],
    ) -> None:
        self.catalogue = catalogue
        self.definitions = definitions
        self.known_types = known_types
        self.entries = {e.qualified: e for e in manifest.tables}
        self.obstacles: list[Obstacle] = []

    def shape(self, entry: TableEntry) -> ScratchTable | None:
        """A table as the manifest describes it, bound as it is bound now."""
        live = self.catalogue.by_name.get(entry.qualified)
        if live is not None and live.kind != "r":
            live = None
        if live is None:
            self._note(entry, "the table is no longer in the database, so its keys and checks are unknown")
        missing = self._missing_types(entry, live)
        if missing:
            self._note(entry, f"the database has no type {', '.join(missing)} (any more)")
            return None
        definition = self.definitions.get(live.oid) if live else None
        self._note_drift(entry, live)
        columns = self._columns(entry.columns, live, definition)
        parent = self._parent(definition)
        return ScratchTable(
            entry.schema,
            entry.name,
            columns,
            tuple(self._constraints(entry.qualified, definition, {c.name for c in columns})),
            parent=parent,
            bound=definition.bound if definition and parent else "",
        )

    def roots(self, shapes: Iterable[ScratchTable]) -> Iterator[ScratchTable]:
        """The partitioned tables above these, from the top."""
        above: dict[int, Table] = {}
        stored: dict[int, set[str]] = {}
        for shape in shapes:
            live = self.catalogue.by_name.get(shape.qualified)
            definition = self.definitions.get(live.oid) if live and shape.parent else None
            while definition is not None and definition.parent in self.catalogue.by_oid:
                parent = self.catalogue.by_oid[definition.parent]
                above[parent.oid] = parent
                names = {c.name for c in shape.columns}
                stored[parent.oid] = stored.get(parent.oid, names) & names
                definition = self.definitions.get(parent.oid)
        for oid in sorted(above):
            yield self._root(above[oid], stored[oid])

    def references(
        self, references: Sequence[Reference], made: Mapping[str, ScratchTable]
    ) -> Iterator[ScratchReference]:
        """The foreign keys between tables that are made."""
        for key in references:
            child = made.get(self.catalogue.by_oid[key.table].qualified)
            parent = made.get(self.catalogue.by_oid[key.referenced].qualified)
            if child is None or parent is None:
                continue
            theirs = {c.name for c in parent.columns}
            if {c.name for c in child.columns} >= set(key.columns) and theirs >= set(key.referenced_columns):
                yield ScratchReference(key, child, parent)
            else:
                self._skipped(child.qualified, f"the foreign key {key.name}")

    def _root(self, table: Table, stored: AbstractSet[str]) -> ScratchTable:
        definition = self.definitions[table.oid]
        columns = [_live_column(c, definition, is_partition=table.is_partition) for c in table.columns]
        parent = self._parent(definition)
        return ScratchTable(
            table.schema,
            table.name,
            tuple(c for c in columns if c.name in stored),
            tuple(self._constraints(table.qualified, definition, stored)),
            partition_key=definition.partition_key,
            parent=parent,
            bound=definition.bound if parent else "",
        )

    def _parent(self, definition: Definition | None) -> tuple[str, str] | None:
        parent = self.catalogue.by_oid.get(definition.parent) if definition and definition.parent else None
        return (parent.schema, parent.name) if parent else None

    def _constraints(self, name: str, definition: Definition | None, columns: AbstractSet[str]) -> Iterator[Constraint]:
        for constraint in definition.constraints if definition else ():
            if columns >= set(constraint.columns):
                yield constraint
            else:
                self._skipped(name, constraint.name)

    def _skipped(self, table: str, what: str) -> None:
        self.obstacles.append(Obstacle(table, f"{what} needs a column that is newer than the backup"))

    def _note(self, entry: TableEntry, reason: str) -> None:
        self.obstacles.append(Obstacle(entry.qualified, reason))

    def _missing_types(self, entry: TableEntry, live: Table | None) -> list[str]:
        types = {c.name: c.type for c in live.columns} if live else {}
        return sorted({c.type for c in entry.columns if types.get(c.name) != c.type and c.type not in self.known_types})

    def _note_drift(self, entry: TableEntry, live: Table | None) -> None:
        if live is None:
            return
        now = {c.name: c for c in live.columns}
        then = {c.name for c in entry.columns}
        for column in entry.copied_columns:
            if column.name not in now:
                self._note(entry, f"the column {column.name} is no longer in the database")
            elif now[column.name].type != column.type:
                self._note(entry, f"the column {column.name} was {column.type} and is {now[column.name].type} now")
            elif now[column.name].generated:
                self._note(entry, f"the column {column.name} held values of its own and is generated now")
        for new in live.copied_columns:
            if new.name not in then and new.not_null and not new.has_default and not new.identity:
                self._note(entry, f"the new column {new.name} needs a value that the backup does not have")

    def _columns(
        self, columns: Sequence[ColumnEntry], live: Table | None, definition: Definition | None
    ) -> tuple[ScratchColumn, ...]:
        now = {c.name: c for c in live.columns} if live else {}
        made = []
        for column in columns:
            same = now.get(column.name)
            expression = definition.expressions.get(column.name, "") if definition else ""
            if column.generated and not (expression and same and same.generated):
                # Its values are not in the backup, and nobody can compute them: the rest may stand without it.
                continue
            made.append(
                ScratchColumn(
                    column.name,
                    column.type,
                    same.collation if same and same.type == column.type else None,
                    not_null=same.not_null if same else False,
                    identity=same.identity if same and live and _has_identity(column, live) else "",
                    generated=column.generated and same.generated if same else "",
                    expression=expression,
                )
            )
        return tuple(made)


def _has_identity(column: ColumnEntry, live: Table) -> bool:
    # A partition takes its identity from the partitioned table.
    return column.type in _INTEGERS and not live.is_partition


def _live_column(column: Column, definition: Definition, *, is_partition: bool) -> ScratchColumn:
    return ScratchColumn(
        column.name,
        column.type,
        column.collation,
        not_null=column.not_null,
        identity="" if is_partition else column.identity,
        generated=column.generated,
        expression=definition.expressions.get(column.name, ""),
    )


def _sequences(entries: Sequence[SequenceEntry], shapes: Mapping[str, ScratchTable]) -> Iterator[ScratchSequence]:
    for entry in entries:
        owner = None
        if entry.owner is not None:
            shape = shapes.get(f"{entry.owner['schema']}.{entry.owner['table']}")
            columns = {c.name: c for c in shape.columns} if shape else {}
            column = columns.get(entry.owner["column"])
            if shape is not None and column is not None and column.type in _INTEGERS and not column.generated:
                owner = (shape.schema, shape.name, column.name)
        yield ScratchSequence(
            entry.schema,
            entry.name,
            entry.start,
            entry.minimum,
            entry.maximum,
            entry.increment,
            entry.cycle,
            Standing(entry.last_value, entry.is_called),
            owner,
        )
