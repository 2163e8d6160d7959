"""What did not change since an earlier instant, asked with little effort. When in doubt, the answer is "changed".

Rows cannot appear without a new xmin, and if none appeared and as many are visible as before, none vanished. So a block
range whose table still has the same file, in which as many rows are visible as then, and none of them has an xmin at or
after the horizon of then, holds the same rows.

They also look the same, as long as what turns them into text is the same: see `text_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from rxbackup.postgres.block_ranges import in_blocks
from rxbackup.postgres.connecting import Connection, connect, translated
from rxbackup.postgres.watermarks import act_as_system

_XIDS = 1 << 32

_FURTHEST_XIDS = (1 << 31) - (1 << 26)
"""Beyond 2**31 the 32 bits of an xmin no longer tell before from after; and others go on while we ask."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What has to be the same for rows of two instants to be comparable at all.

    Attributes:
        text_rules: from `read_text_rules`; '' if unknown, which is like nothing.
        next_xid: the first transaction not yet begun, an xid8.
    """

    system_identifier: str
    database_oid: int
    encoding: str
    text_rules: str
    next_xid: int


def is_same_ground(then: Ground, now: Ground, *, horizon: int, watermark_is_there: bool) -> bool:
    """Whether `is_unchanged` may be asked: the same server and database, the same history, the same text.

    Args:
        horizon: the oldest transaction open then, an xid8.
        watermark_is_there: whether the token left then is in the database: it was not rolled back since.
    """
    return (
        watermark_is_there
        and then.system_identifier == now.system_identifier
        and then.database_oid == now.database_oid
        and then.encoding == now.encoding
        and bool(now.text_rules)
        and then.text_rules == now.text_rules
        and 0 <= now.next_xid - horizon < _FURTHEST_XIDS
    )


def is_unchanged(
    conn: Connection, schema: str, name: str, *, first_block: int, end_block: int | None, rows: int, horizon: int
) -> bool:
    """Whether a block range holds the very rows it held at an earlier instant, by the rule above.

    Args:
        schema, name: of a table that has had the same file ever since.
        rows: how many rows were visible there then.
        horizon: the oldest transaction open then, an xid8 less than 2**31 transactions ago.
    """
    # Both ages are taken in one statement: they count from the same transaction. An ancient frozen xmin may look new;
    # then the range is read again, which is only slower.
    query = sql.SQL(
        "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER "
        "(WHERE pg_catalog.age(xmin) <= pg_catalog.age({}::pg_catalog.xid)) FROM ONLY {} WHERE {}"
    ).format(sql.Literal(str(horizon % _XIDS)), sql.Identifier(schema, name), in_blocks(first_block, end_block))
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
