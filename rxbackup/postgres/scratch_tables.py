"""Tables of a drill: made bare, filled, and only then bound by their constraints, one step at a time.

A constraint is added to rows that are there already, so it looks at every one of them: also where the protected
database never did, because it was added NOT VALID.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from rxbackup.postgres.connecting import Connection
from rxbackup.postgres.definitions import Constraint, Reference
from rxbackup.postgres.scratch import Scratch
from rxbackup.postgres.sequences import Standing

_KINDS = {"p": "the primary key", "u": "the unique key", "x": "the exclusion constraint", "c": "the check"}


@dataclass(frozen=True, slots=True)
class ScratchSequence:
    """A sequence, and the column that draws from it (schema, table, column), if there is one."""

    schema: str
    name: str
    start: int
    minimum: int
    maximum: int
    increment: int
    cycle: bool
    standing: Standing
    owner: tuple[str, str, str] | None


@dataclass(frozen=True, slots=True)
class ScratchColumn:
    """A column. `type`, `collation` and `expression` are SQL: they come from the server, never from a backup alone.

    Attributes:
        identity: '' or 'a' (always) or 'd' (by default).
        generated: '' or 's' (stored) or 'v' (virtual), computed by `expression`.
    """

    name: str
    type: str
    collation: str | None
    not_null: bool
    identity: str
    generated: str
    expression: str


@dataclass(frozen=True, slots=True)
class ScratchTable:
    """A table as it shall be, named as in the protected database.

    Attributes:
        partition_key: what follows PARTITION BY; '' for a table that holds rows.
        parent: schema and name of the partitioned table to attach it to, by `bound`.
    """

    schema: str
    name: str
    columns: tuple[ScratchColumn, ...]
    constraints: tuple[Constraint, ...] = ()
    partition_key: str = ""
    parent: tuple[str, str] | None = None
    bound: str = ""

    @property
    def qualified(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class ScratchReference:
    """A foreign key between two tables of the drill."""

    key: Reference
    child: ScratchTable
    parent: ScratchTable


@dataclass(frozen=True, slots=True)
class Step:
    """One statement that binds a table.

    Attributes:
        tables: qualified names of all tables whose rows it looks at.
        what: what it makes, for people.
    """

    tables: tuple[str, ...]
    what: str
    query: sql.Composed


def make_table(scratch: Scratch, table: ScratchTable, sequences: Sequence[ScratchSequence]) -> None:
    """Make an empty table without constraints.

    It is UNLOGGED: no WAL for rows that will be dropped, and no subscriber of a publication hears of it.
    """
    by_column = {s.owner[2]: s for s in sequences if s.owner and s.owner[:2] == (table.schema, table.name)}
    # What will be attached to a partitioned table must refuse NULL wherever that one does.
    columns = sql.SQL(", ").join(
        _column(scratch, c, by_column.get(c.name), not_null=bool(table.partition_key) and c.not_null)
        for c in table.columns
    )
    where = scratch.identifier(table.schema, table.name)
    if table.partition_key:
        query = sql.SQL("CREATE TABLE {} ({}) PARTITION BY {}").format(where, columns, sql.SQL(table.partition_key))
    else:
        query = sql.SQL("CREATE UNLOGGED TABLE {} ({})").format(where, columns)
    scratch.conn.execute(query)


def make_sequence(scratch: Scratch, sequence: ScratchSequence) -> None:
    """Make a sequence that no identity column makes."""
    scratch.conn.execute(
        sql.SQL("CREATE SEQUENCE {} {}").format(
            scratch.identifier(sequence.schema, sequence.name), _sequence_options(sequence)
        )
    )


def binding_steps(
    scratch: Scratch, tables: Sequence[ScratchTable], references: Sequence[ScratchReference]
) -> list[Step]:
    """The statements that bind filled tables, in order: NOT NULL, partitions, keys, checks, references."""
    steps: list[Step] = []
    for table in tables:
        steps += _not_null(scratch, table)
    for table in tables:
        if table.parent is not None:
            parent = ".".join(table.parent)
            query = sql.SQL("ALTER TABLE {} ATTACH PARTITION {} {}").format(
                scratch.identifier(*table.parent), scratch.identifier(table.schema, table.name), sql.SQL(table.bound)
            )
            steps.append(Step((table.qualified,), f"its place as a partition of {parent}", query))
    for table in tables:
        steps += [_constraint(scratch, table, each) for each in table.constraints if each.kind != "c"]
    for table in tables:
        steps += [_constraint(scratch, table, each) for each in table.constraints if each.kind == "c"]
    return steps + [_reference(scratch, each) for each in references]


def give_defaults(scratch: Scratch, sequence: ScratchSequence) -> None:
    """Let the column that draws from a sequence draw from the one made here."""
    if sequence.owner is None:
        return
    schema, table, column = sequence.owner
    name = sql.Literal(scratch.identifier(sequence.schema, sequence.name).as_string(scratch.conn))
    scratch.conn.execute(
        sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT pg_catalog.nextval({}::pg_catalog.regclass)").format(
            scratch.identifier(schema, table), sql.Identifier(column), name
        )
    )


def set_sequence(scratch: Scratch, sequence: ScratchSequence) -> bool:
    """Let a sequence go on as a restore would: from where it stood, but behind every value in use.

    Returns:
        Whether it can hand out a value; one that has come to its end cannot.
    """
    step = sequence.increment
    wanted = [sequence.standing.next_value(step)]
    if sequence.owner is not None:
        schema, table, column = sequence.owner
        row = scratch.conn.execute(
            sql.SQL("SELECT pg_catalog.{}({}::bigint) FROM {}").format(
                sql.SQL("max" if step > 0 else "min"), sql.Identifier(column), scratch.identifier(schema, table)
            )
        ).fetchone()
        wanted += [row[0] + step] if row and row[0] is not None and not sequence.cycle else []
    value = max(wanted) if step > 0 else min(wanted)
    if not sequence.minimum <= value <= sequence.maximum:
        return False
    scratch.conn.execute(
        sql.SQL("ALTER SEQUENCE {} RESTART WITH {}").format(
            scratch.identifier(sequence.schema, sequence.name), sql.Literal(value)
        )
    )
    return True


def _column(
    scratch: Scratch, column: ScratchColumn, sequence: ScratchSequence | None, *, not_null: bool
) -> sql.Composed:
    parts: list[sql.Composable] = [sql.Identifier(column.name), sql.SQL(column.type)]
    if column.collation:
        parts += [sql.SQL("COLLATE"), sql.SQL(column.collation)]
    if column.generated:
        stored = "VIRTUAL" if column.generated == "v" else "STORED"
        parts.append(sql.SQL("GENERATED ALWAYS AS ({}) {}").format(sql.SQL(column.expression), sql.SQL(stored)))
    if column.identity:
        parts.append(sql.SQL("GENERATED {} AS IDENTITY").format(sql.SQL(_IDENTITY[column.identity])))
        if sequence is not None:
            name = scratch.identifier(sequence.schema, sequence.name)
            parts.append(sql.SQL("(SEQUENCE NAME {} {})").format(name, _sequence_options(sequence)))
    if not_null:
        parts.append(sql.SQL("NOT NULL"))
    return sql.SQL(" ").join(parts)


_IDENTITY = {"a": "ALWAYS", "d": "BY DEFAULT"}


def _sequence_options(sequence: ScratchSequence) -> sql.Composed:
    return sql.SQL("INCREMENT BY {} MINVALUE {} MAXVALUE {} START WITH {} {}").format(
        sql.Literal(sequence.increment),
        sql.Literal(sequence.minimum),
        sql.Literal(sequence.maximum),
        sql.Literal(sequence.start),
        sql.SQL("CYCLE" if sequence.cycle else "NO CYCLE"),
    )


def _not_null(scratch: Scratch, table: ScratchTable) -> Iterator[Step]:
    names = [c.name for c in table.columns if c.not_null and not c.identity]
    if names and not table.partition_key:
        # All in one statement: one look at the rows.
        parts = sql.SQL(", ").join(sql.SQL("ALTER COLUMN {} SET NOT NULL").format(sql.Identifier(n)) for n in names)
        where = scratch.identifier(table.schema, table.name)
        yield Step((table.qualified,), "NOT NULL", sql.SQL("ALTER TABLE {} {}").format(where, parts))


def _constraint(scratch: Scratch, table: ScratchTable, constraint: Constraint) -> Step:
    where, name, words = (
        scratch.identifier(table.schema, table.name),
        sql.Identifier(constraint.name),
        sql.SQL(constraint.words),
    )
    if constraint.kind == "i":
        query = sql.SQL("CREATE UNIQUE INDEX {} ON {} USING {}").format(name, where, words)
        return Step((table.qualified,), f"the unique index {constraint.name}", query)
    query = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(where, name, words)
    return Step((table.qualified,), f"{_KINDS[constraint.kind]} {constraint.name}", query)


def _reference(scratch: Scratch, reference: ScratchReference) -> Step:
    key = reference.key
    query = sql.SQL(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) {} DEFERRABLE INITIALLY DEFERRED"
    ).format(
        scratch.identifier(reference.child.schema, reference.child.name),
        sql.Identifier(key.name),
        _key_columns(key.columns, period=key.period),
        scratch.identifier(reference.parent.schema, reference.parent.name),
        _key_columns(key.referenced_columns, period=key.period),
        sql.SQL("MATCH FULL" if key.match == "f" else ""),
    )
    return Step((reference.child.qualified, reference.parent.qualified), f"the foreign key {key.name}", query)


def _key_columns(names: Sequence[str], *, period: bool) -> sql.Composed:
    parts: list[sql.Composable] = [sql.Identifier(name) for name in names]
    if period:
        parts[-1] = sql.SQL("PERIOD {}").format(parts[-1])
    return sql.SQL(", ").join(parts)


def truncate(conn: Connection, scratch: Scratch, table: ScratchTable) -> None:
    """Empty a table, with a new file: rows then fill it in order, and COPY looks for no free space elsewhere."""
    conn.execute(sql.SQL("TRUNCATE {}").format(scratch.identifier(table.schema, table.name)))
