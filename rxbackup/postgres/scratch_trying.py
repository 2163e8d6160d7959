"""Try things in a drill's place, and tell PostgreSQL's "no" about rows from trouble that says nothing about them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from rxbackup import errors
from rxbackup.postgres.connecting import Connection, translate, translated
from rxbackup.postgres.copy_in import copy_rows
from rxbackup.postgres.copy_out import copy_query, read_rows
from rxbackup.postgres.scratch import Scratch
from rxbackup.postgres.scratch_tables import ScratchTable, Step, truncate

_ANSWERS = frozenset({"0A", "0L", "20", "21", "22", "23", "27", "2F", "38", "39", "3F", "42", "44", "54", "P0"})
"""Classes of SQLSTATE that are answers about rows and definitions; all others are trouble of server or connection."""

_LOOK_EVERY_SECONDS = 0.3
_PIECE_BYTES = 4 << 20
_MALFORMED = "22P04"

Watch = Callable[[], None]
"""Called while a statement runs. It may raise `rxbackup.errors.Cancelled` to stop it."""


def pin(scratch: Scratch, pins: Mapping[str, str]) -> None:
    """Let values look as they did in the backup, from now on: the whole session is the drill's."""
    with translated("preparing the drill"):
        for name, value in {**pins, "lock_timeout": "30s", "statement_timeout": "0"}.items():
            scratch.conn.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))


@contextmanager
def one_transaction(scratch: Scratch) -> Iterator[Connection]:
    """A transaction in the drill's place."""
    with translated("restoring into the drill's place"), scratch.conn.transaction():
        yield scratch.conn


@dataclass(frozen=True, slots=True)
class Refusal:
    """PostgreSQL's "no".

    Attributes:
        said: in its words.
        broken: a constraint does not hold for the rows.
        malformed: the rows are no rows of this table at all.
    """

    said: str
    broken: bool
    malformed: bool


class RowsRefused(Exception):
    """PostgreSQL does not take these rows."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.said)
        self.refusal = refusal


def load(
    scratch: Scratch, table: ScratchTable, columns: Sequence[str], pieces: Iterable[bytes], *, conn: Connection
) -> int:
    """Fill an empty table in the caller's transaction, which fails with the exception. Returns the rows taken.

    Raises:
        RowsRefused: in PostgreSQL's words.
    """
    truncate(conn, scratch, table)
    try:
        return copy_rows(
            conn, scratch.schemas[table.schema], table.name, columns, pieces, doing=f"restoring {table.qualified}"
        )
    except errors.DatabaseTrouble as error:
        cause = error.__cause__
        if isinstance(cause, psycopg.Error) and is_answer(cause):
            raise RowsRefused(_refusal(cause)) from error
        raise


def read_back(
    scratch: Scratch, table: ScratchTable, columns: Sequence[str], *, conn: Connection
) -> Iterator[tuple[bytearray | memoryview, int]]:
    """The rows of a table in the order of its blocks, as `(bytes, rows that end in them)`."""
    query = copy_query(scratch.schemas[table.schema], table.name, columns, 0, None)
    return read_rows(conn, query, piece_bytes=_PIECE_BYTES, doing=f"reading {table.qualified} back")


def attempt(scratch: Scratch, work: Callable[[], object], doing: str) -> Refusal | None:
    """Do some work in a transaction of its own. Returns PostgreSQL's refusal, if it refused."""
    return _attempt(scratch, work, doing, keep=True)


def take(scratch: Scratch, step: Step, watch: Watch) -> Refusal | None:
    """Carry a step out. Returns PostgreSQL's refusal, if it refused."""

    def work() -> None:
        execute_watched(scratch.conn, step.query, watch)

    return _attempt(scratch, work, f"trying {step.what} of {step.tables[0]}", keep=True)


def _attempt(scratch: Scratch, work: Callable[[], object], doing: str, *, keep: bool) -> Refusal | None:
    try:
        with scratch.conn.transaction(force_rollback=not keep):
            work()
    except psycopg.Error as error:
        if is_answer(error):
            return _refusal(error)
        raise translate(error, doing) from error
    return None


def try_steps(scratch: Scratch, steps: Sequence[Step], watch: Watch) -> None:
    """Carry steps out on empty tables and roll everything back: is all there that they need?

    Raises:
        errors.DatabaseRefused: something is missing.
    """
    with translated("trying the constraints"), scratch.conn.transaction(force_rollback=True):
        for step in steps:
            watch()
            scratch.conn.execute(step.query)


def try_writes(scratch: Scratch, table: ScratchTable, fresh: str | None) -> Refusal | None:
    """Update a row, delete it and insert it again, with `fresh` also as a new one; then undo it all.

    Args:
        fresh: a column that draws from a sequence and alone is a key.
    """

    def work() -> None:
        for query in _writes(scratch, table, fresh):
            scratch.conn.execute(query)

    return _attempt(scratch, work, f"writing into {table.qualified}", keep=False)


def _writes(scratch: Scratch, table: ScratchTable, fresh: str | None) -> Iterator[sql.SQL | sql.Composed]:
    where = scratch.identifier(table.schema, table.name)
    own = [c for c in table.columns if not c.generated]
    settable = [c.name for c in own if c.identity != "a"]
    # The first row that is there; writes move it to the end, so it is looked for each time.
    first = sql.SQL("ctid = (SELECT ctid FROM ONLY {} LIMIT 1)").format(where)
    yield sql.SQL("SET CONSTRAINTS ALL DEFERRED")
    if settable:
        same = sql.SQL(", ").join(sql.SQL("{0} = {0}").format(sql.Identifier(name)) for name in settable)
        yield sql.SQL("UPDATE ONLY {} SET {} WHERE {}").format(where, same, first)
    if own:
        yield _again(where, first, [c.name for c in own], overriding=True)
        yield sql.SQL("SET CONSTRAINTS ALL IMMEDIATE")
    if fresh is not None:
        # Whoever refers to the row that goes is not asked: this is undone before anybody looks.
        yield sql.SQL("SET CONSTRAINTS ALL DEFERRED")
        rest = [c.name for c in own if c.name != fresh]
        yield (
            _again(where, first, rest, overriding=False)
            if rest
            else sql.SQL("INSERT INTO {} DEFAULT VALUES").format(where)
        )


def _again(where: sql.Composable, first: sql.Composable, names: Sequence[str], *, overriding: bool) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL(
        "WITH gone AS (DELETE FROM ONLY {where} WHERE {first} RETURNING {columns}) "
        "INSERT INTO {where} ({columns}) {overriding} SELECT {columns} FROM gone"
    ).format(
        where=where,
        first=first,
        columns=columns,
        overriding=sql.SQL("OVERRIDING SYSTEM VALUE" if overriding else ""),
    )


def execute_watched(conn: Connection, query: sql.Composed, watch: Watch) -> None:
    """Execute a statement that may take long, and stop it on the server when `watch` raises."""
    failed: list[BaseException] = []

    def execute() -> None:
        try:
            conn.execute(query)
        except BaseException as error:  # noqa: BLE001 - carried over to the thread that waits
            failed.append(error)

    thread = threading.Thread(target=execute, name="drill statement", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_LOOK_EVERY_SECONDS)
            watch()
    except BaseException:
        conn.cancel()
        thread.join()
        raise
    if failed:
        raise failed[0]


def is_answer(error: psycopg.Error) -> bool:
    """Whether an error says something about the rows or the definitions."""
    return (error.sqlstate or "")[:2] in _ANSWERS


def _refusal(error: psycopg.Error) -> Refusal:
    # The message only: its detail shows values of a row, which are nobody's business in a log.
    text = error.diag.message_primary or str(error).strip().split("\n")[0]
    state = error.sqlstate or ""
    return Refusal(text.rstrip("."), broken=state.startswith("23"), malformed=state == _MALFORMED)
