"""What did not change since an earlier instant, asked with little effort. When in doubt, the answer is "changed".

Rows cannot appear without a new xmin, and if none appeared and as many are visible as before, none vanished. So a block
range whose table still has the same file, in which as many rows are visible as then, and none of them has an xmin at or
after the horizon of then, holds the same rows.

They also look the same, as long as what turns them into text is the same: see `text_rules`.
"""

from __future__ import annotations

from uuid import UUID

import psycopg
from psycopg import sql

from rxbackup.postgres.connecting import Connection, connect, translated
from rxbackup.postgres.text_rules import read_text_rules as read_text_rules
from rxbackup.postgres.text_rules import tables_that_name_others as tables_that_name_others
from rxbackup.postgres.watermarks import act_as_system

_XIDS = 1 << 32


def is_unchanged(
    conn: Connection, schema: str, name: str, *, first_block: int, end_block: int | None, rows: int, horizon: int
) -> bool:
    """Whether a block range holds the very rows it held at an earlier instant, by the rule above.

    Args:
        schema, name: of a table that has had the same file ever since.
        rows: how many rows were visible there then.
        horizon: the oldest transaction open then, an xid8 less than 2**31 transactions ago.
    """
    condition = sql.SQL("ctid >= {}::pg_catalog.tid").format(sql.Literal(f"({first_block},0)"))
    if end_block is not None:
        condition += sql.SQL(" AND ctid < {}::pg_catalog.tid").format(sql.Literal(f"({end_block},0)"))
    # Both ages are taken in one statement: they count from the same transaction. An ancient frozen xmin may look new;
    # then the range is read again, which is only slower.
    query = sql.SQL(
        "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER "
        "(WHERE pg_catalog.age(xmin) <= pg_catalog.age({}::pg_catalog.xid)) FROM ONLY {} WHERE {}"
    ).format(sql.Literal(str(horizon % _XIDS)), sql.Identifier(schema, name), condition)
    with translated("asking what changed"):
        row = conn.execute(query).fetchone()
    return row == (rows, 0)


def watermark_is_there(url: str, watermark: str) -> bool:
    """Whether the token that an earlier backup left is still in the database: it was not rolled back since."""
    with connect(url, application_name="rxbackup backup") as conn, conn.transaction():
        try:
            act_as_system(conn)
            row = conn.execute("SELECT 1 FROM rxbackup.watermarks WHERE id = %s", (UUID(watermark),)).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
            return False
    return row is not None
