"""Read rows as PostgreSQL writes them. Python never sees a value: bytes go through untouched."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import psycopg
from psycopg import pq, sql

from rxbackup.postgres.block_ranges import in_blocks
from rxbackup.postgres.connecting import Connection, translated


def copy_query(schema: str, name: str, columns: Sequence[str], first_block: int, end_block: int | None) -> sql.Composed:
    """Return the COPY that reads the rows in blocks `first_block` up to, not including, `end_block` (None: to the end).

    A TID range scan reads sequentially, needs no sort, and lets one big table use every core.
    """
    return sql.SQL("COPY (SELECT {} FROM ONLY {} WHERE {}) TO STDOUT").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Identifier(schema, name),
        in_blocks(first_block, end_block),
    )


def read_rows(
    conn: Connection, query: sql.Composed, *, piece_bytes: int, doing: str
) -> Iterator[tuple[memoryview, int]]:
    """Run a COPY … TO STDOUT and yield `(bytes, rows that end in them)`, each at most `piece_bytes` long.

    Pieces end at row ends. A row longer than a piece is cut anywhere: joined, the pieces are the stream.
    A yielded piece is the consumer's until it asks for the next one, and is gone then.

    Raises:
        errors.DatabaseTrouble: PostgreSQL refused or went away. `doing` says what was being read.
    """
    with translated(doing), _raw_copy(conn, query) as pgconn:
        # psycopg's row iterator costs as much processor time as the server itself; this loop costs half. What is done
        # for every row stands first, and rows go to the same memory for all pieces.
        receive, wait_for_more = pgconn.get_copy_data, _waiting_for(pgconn)
        gathered = BytesIO()
        gather = gathered.write
        size = rows = 0
        while True:
            length, row = receive(1)
            if 0 < length <= piece_bytes - size:
                gather(row)
                size += length
                rows += 1
                continue
            if length == 0:
                wait_for_more()
                continue
            if length == -2:  # noqa: PLR2004 - libpq's own number for "the COPY failed"
                raise psycopg.OperationalError(pgconn.error_message.decode(errors="replace"))
            if rows:
                with gathered.getbuffer() as everything, everything[:size] as piece:
                    yield piece, rows
                gathered.seek(0)
                size = rows = 0
            if length < 0:
                break
            if length > piece_bytes:
                # libpq holds such a row twice by now: smaller pieces keep what comes on top of that small.
                gathered = BytesIO()
                gather = gathered.write
                yield from _cut(row, piece_bytes // 4)
                continue
            gather(row)
            size, rows = length, 1


def _waiting_for(pgconn: pq.abc.PGconn) -> Callable[[], None]:
    """Waits for bytes outside libpq: inside, psycopg holds the interpreter lock, and no heartbeat and no signal passes.

    Now and then it looks without being told: decrypted bytes may wait in the TLS library, where no poll sees them.
    """
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN)

    def wait_for_more() -> None:
        poll.poll(1000)
        pgconn.consume_input()

    return wait_for_more


def _cut(row: memoryview, piece_bytes: int) -> Iterator[tuple[memoryview, int]]:
    for start in range(0, len(row), piece_bytes):
        end = min(start + piece_bytes, len(row))
        yield row[start:end], int(end == len(row))


@contextmanager
def _raw_copy(conn: Connection, query: sql.Composed) -> Iterator[pq.abc.PGconn]:
    pgconn = conn.pgconn
    nonblocking = pgconn.nonblocking
    pgconn.nonblocking = 0
    try:
        _expect(pgconn, pgconn.exec_(query.as_bytes(conn)), pq.ExecStatus.COPY_OUT)
        yield pgconn
        while result := pgconn.get_result():
            _expect(pgconn, result, pq.ExecStatus.COMMAND_OK)
    finally:
        # A consumer that stops early leaves the COPY open: only closing the connection ends it at once.
        if pgconn.status == pq.ConnStatus.OK:
            if pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
                conn.close()
            else:
                pgconn.nonblocking = nonblocking


def _expect(pgconn: pq.abc.PGconn, result: pq.abc.PGresult, status: pq.ExecStatus) -> None:
    if result.status != status:
        if result.error_field(pq.DiagnosticField.SQLSTATE) is None:
            # The server said nothing: libpq speaks here, of a connection that is gone.
            raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
        raise psycopg.errors.error_from_result(result, encoding=_encoding(pgconn))


def _encoding(pgconn: pq.abc.PGconn) -> str:
    name = pgconn.parameter_status(b"client_encoding") or b"UTF8"
    return {b"LATIN1": "latin-1", b"SQL_ASCII": "latin-1"}.get(name, "utf-8")
