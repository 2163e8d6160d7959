"""Schemas that hold rows of a backup beside the protected tables, for somebody to look at, until they expire.

A comment on the schema says in one line of JSON what it is; a comment on each table says that it was made here. Only
tables that bear both are taken for ours: nothing else is left out of backups, and nothing else is ever dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from rxbackup import errors
from rxbackup.postgres.connecting import Connection, connect, translated
from rxbackup.postgres.copy_in import copy_rows
from rxbackup.postgres.definitions import known_types
from rxbackup.postgres.introspection import SIDE_MARK, is_own_schema
from rxbackup.postgres.scratch import shut

_APPLICATION = "rxbackup side schema"
_LONGEST_NAME = 63
_GUARD = "rxb_no_writes"


@dataclass(frozen=True, slots=True)
class SideSchema:
    """One of them.

    Attributes:
        tables, bytes: how many it holds, and what they take on disk.
        owned: whether this role may drop it.
    """

    name: str
    backup_id: str
    expires_at: datetime
    tables: int
    bytes: int
    owned: bool


@dataclass(frozen=True, slots=True)
class SideTable:
    """A table to be made there.

    Attributes:
        name: in the side schema.
        origin: `schema.name` in the backup.
        columns: name and type, as the backup says them.
        key: the primary key's columns; empty if there is none.
    """

    name: str
    origin: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]


def make_schema(conn: Connection, name: str, backup_id: str, expires_at: datetime) -> None:
    """Make an empty schema that nobody but the role may enter. Runs in the caller's transaction.

    Raises:
        errors.UsageError: the name is no good, or taken.
        errors.Refused: the role may not make one.
    """
    _check_name(conn, name)
    here = sql.Identifier(name)
    with translated("making the schema"):
        try:
            conn.execute(sql.SQL("CREATE SCHEMA {}").format(here))
        except psycopg.errors.DuplicateSchema as error:
            raise errors.UsageError(f"There is a schema {name} already.", hint="Choose another name.") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise errors.Refused(
                "The role of RXBACKUP_DATABASE_URL may not make a schema in this database.",
                hint="As a superuser: GRANT CREATE ON DATABASE … TO that role.",
            ) from error
        shut(conn, name)
        said = SIDE_MARK + json.dumps({"backup": backup_id, "expires_at": expires_at.isoformat()})
        conn.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(here, sql.Literal(said)))
        conn.execute(
            sql.SQL(
                "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS "
                "$$ BEGIN RAISE EXCEPTION 'These are rows of a backup: they can be read, not changed.' "
                "USING ERRCODE = 'read_only_sql_transaction', "
                "HINT = 'Copy them into a table of your own.'; END $$"
            ).format(sql.Identifier(name, _GUARD))
        )


def require_types(conn: Connection, types: Iterable[str]) -> None:
    """Raise errors.PlanRefused where a type of the backup is no longer in the database."""
    wanted = set(types)
    missing = sorted(wanted - known_types(conn, wanted))
    if missing:
        raise errors.PlanRefused(
            f"The database has no type {', '.join(missing)} (any more).",
            hint="Make the type again, or leave out the tables that use it.",
        )


def make_table(conn: Connection, schema: str, table: SideTable) -> None:
    """Make one table, empty. Its types were found by `require_types`."""
    where = sql.Identifier(schema, table.name)
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in table.columns)
    kind = sql.SQL("UNLOGGED TABLE" if _is_published(conn) else "TABLE")
    with translated(f"making a table for {table.origin}"):
        conn.execute(sql.SQL("CREATE {} {} ({})").format(kind, where, columns))
        conn.execute(
            sql.SQL("COMMENT ON TABLE {} IS {}").format(where, sql.Literal(f"{SIDE_MARK}{json.dumps(table.origin)}"))
        )


def fill_table(conn: Connection, schema: str, table: SideTable, columns: Sequence[str], pieces: Iterable[bytes]) -> int:
    """Put rows into a table that this transaction made. Returns how many PostgreSQL took."""
    return copy_rows(
        conn, schema, table.name, columns, pieces, doing=f"writing the rows of {table.origin}", freeze=True
    )


def finish_table(conn: Connection, schema: str, table: SideTable) -> None:
    """Give a filled table its key, and keep everybody from writing to it."""
    where = sql.Identifier(schema, table.name)
    with translated(f"finishing the table of {table.origin}"):
        if table.key:
            key = sql.SQL(", ").join(map(sql.Identifier, table.key))
            conn.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(where, key))
        conn.execute(
            sql.SQL(
                "CREATE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {} "
                "FOR EACH STATEMENT EXECUTE FUNCTION {}()"
            ).format(sql.Identifier(_GUARD), where, sql.Identifier(schema, _GUARD))
        )
        conn.execute(sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(where, sql.Identifier(_GUARD)))
        conn.execute(sql.SQL("ANALYZE {}").format(where))


_FOUND = """
SELECT n.nspname::text, d.description, pg_catalog.pg_has_role(n.nspowner, 'USAGE'),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r'),
       (SELECT coalesce(pg_catalog.sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint
        FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r')
FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_description d
  ON d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objoid = n.oid AND d.objsubid = 0
WHERE pg_catalog.starts_with(d.description, %s) ORDER BY 1
"""


def list_side_schemas(source_url: str) -> tuple[SideSchema, ...]:
    """Those in a database, by name. One whose comment was changed by hand is none of them any more."""
    with (
        closing(connect(source_url, application_name=_APPLICATION)) as conn,
        translated("looking for schemas with rows of backups"),
    ):
        rows = conn.execute(_FOUND, (SIDE_MARK,)).fetchall()
    found = []
    for name, said, owned, tables, size in rows:
        try:
            facts = json.loads(said.removeprefix(SIDE_MARK))
            expires_at = datetime.fromisoformat(facts["expires_at"])
            found.append(SideSchema(name, str(facts["backup"]), expires_at, tables, size, owned))
        except (ValueError, KeyError, TypeError):
            continue
    return tuple(found)


def drop_side_schema(source_url: str, name: str) -> None:
    """Drop such a schema with the tables that were made for it. All or nothing.

    Raises:
        errors.NotFound: there is none of this name.
        errors.Refused: something else is in it, or depends on its tables: nothing is dropped that is not ours.
    """
    if name not in {s.name for s in list_side_schemas(source_url)}:
        raise errors.NotFound(
            f"There is no schema {name} with rows of a backup.", hint="List them, and check the name."
        )
    with closing(connect(source_url, application_name=_APPLICATION)) as conn, translated("dropping the schema"):
        try:
            with conn.transaction():
                conn.execute("SET LOCAL lock_timeout = '30s'")
                _drop(conn, name)
        except psycopg.errors.DependentObjectsStillExist as error:
            raise errors.Refused(
                f"The schema {name} cannot be dropped, because something else is in it or uses it: "
                f"{(error.diag.message_detail or '').splitlines()[0] if error.diag.message_detail else 'look there'}.",
                hint="Drop or move that first, if nobody needs it.",
            ) from error


def _drop(conn: Connection, name: str) -> None:
    tables = conn.execute(
        """
        SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_description d
          ON d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objoid = c.oid AND d.objsubid = 0
        WHERE n.nspname = %s AND c.relkind = 'r' AND pg_catalog.starts_with(d.description, %s) ORDER BY c.oid""",
        (name, SIDE_MARK),
    ).fetchall()
    for (table,) in tables:
        conn.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name, table)))
    conn.execute(sql.SQL("DROP FUNCTION IF EXISTS {}()").format(sql.Identifier(name, _GUARD)))
    conn.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(name)))


def _check_name(conn: Connection, name: str) -> None:
    if not name or name.strip() != name or "\0" in name or len(name.encode()) > _LONGEST_NAME:
        raise errors.UsageError(
            f"{name!r} is no name for a schema.", hint=f"Use at most {_LONGEST_NAME} letters, digits and underscores."
        )
    if name.startswith("pg_") or name == "information_schema" or is_own_schema(name):
        raise errors.UsageError(f"The name {name} is taken by PostgreSQL or rxbackup.", hint="Choose another name.")
    with translated("looking for the schema"):
        if conn.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (name,)).fetchone():
            raise errors.UsageError(f"There is a schema {name} already.", hint="Choose another name.")


def _is_published(conn: Connection) -> bool:
    """Whether every new table is published: subscribers would stumble over one that they do not have."""
    return conn.execute("SELECT 1 FROM pg_catalog.pg_publication WHERE puballtables").fetchone() is not None
