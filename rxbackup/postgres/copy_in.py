"""Hand rows back to PostgreSQL as the bytes it once wrote."""

from __future__ import annotations

import select
from collections.abc import Iterable, Sequence

from psycopg import pq, sql

from rxbackup.postgres.connecting import Connection, translated

_AT_ONCE = 1 << 20


def copy_rows(
    conn: Connection,
    schema: str,
    name: str,
    columns: Sequence[str],
    pieces: Iterable[bytes],
    *,
    doing: str,
    freeze: bool = False,
) -> int:
    r"""Run a COPY … FROM STDIN and return the number of rows PostgreSQL says it took.

    The count must be compared with what was meant: a `\.` line inside the stream would end it without an error.

    Args:
        freeze: rows need no later look by VACUUM. Only into a table that this very transaction has made or truncated.

    Raises:
        errors.DatabaseTrouble: a row does not fit the table. `doing` says what was being written.
    """
    # A table without columns has no column list: its rows are empty lines.
    names = sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, columns))) if columns else sql.SQL("")
    how = sql.SQL(" WITH (FREEZE)" if freeze else "")
    query = sql.SQL("COPY {}{} FROM STDIN{}").format(sql.Identifier(schema, name), names, how)
    with translated(doing), conn.cursor() as cursor:
        with cursor.copy(query) as copy:
            for piece in pieces:
                view = memoryview(piece)
                for start in range(0, len(view), _AT_ONCE):
                    copy.write(view[start : start + _AT_ONCE])
                    _send(conn.pgconn)
        return cursor.rowcount


def _send(pgconn: pq.abc.PGconn) -> None:
    """Wait until the server has taken what was written: otherwise libpq piles up whatever a slow server leaves."""
    if not pgconn.flush():
        return
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    while pgconn.flush():
        for _, event in poll.poll():
            if event & ~select.POLLOUT:  # a notice, an error, or the end
                pgconn.consume_input()
