"""A place to try a restore in: a database or schemas of its own, and nothing left of it afterwards.

A database of its own is better where the role may make one: what happens there holds back no VACUUM in the protected
database, fires none of its event triggers and grants none of its default privileges. Otherwise schemas beside the
protected ones.

The name carries the key of an advisory lock, which is held from before the place is made until after it is dropped. So
a place whose lock nobody holds belongs to a drill that died, and whoever finds it may drop it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from rxbackup import errors
from rxbackup.postgres.connecting import Connection, connect, translate, translated
from rxbackup.postgres.introspection import SCRATCH_PATTERN, SCRATCH_PREFIX

_APPLICATION = "rxbackup drill"
_TABLES_A_DROP = 25
_SIGNED = 1 << 63
_BUILTIN_PROVIDER_SINCE = 170000
_PROVIDERS_SINCE = 150000

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scratch:
    """A place for tables.

    Attributes:
        kind: database or schema.
        name: of the database, or of the first schema.
        conn: works there, in autocommit mode.
        schemas: schema of the protected database → schema here.
    """

    kind: str
    name: str
    conn: Connection
    schemas: Mapping[str, str]

    def identifier(self, schema: str, name: str) -> sql.Identifier:
        """The quoted name, here, of what has this name in the protected database."""
        return sql.Identifier(self.schemas[schema], name)


@dataclass(frozen=True, slots=True)
class Rights:
    """What the role may make."""

    role: str
    database: str
    may_create_database: bool
    may_create_schema: bool

    def require_some(self) -> None:
        """Raise errors.Refused where there is nowhere to restore to."""
        if self.may_create_database or self.may_create_schema:
            return
        raise errors.Refused(
            f"A drill needs a place to restore to, and {self.role} may make neither a database nor a schema.",
            hint=f'As a superuser: GRANT CREATE ON DATABASE "{self.database}" TO "{self.role}", or '
            f'ALTER ROLE "{self.role}" CREATEDB. The levels structure and contents need neither.',
        )


def read_rights(conn: Connection) -> Rights:
    """Ask what the role may make."""
    row = conn.execute("""
        SELECT current_user::text, pg_catalog.current_database()::text, r.rolcreatedb OR r.rolsuper,
               pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user""").fetchone()
    assert row is not None  # noqa: S101 - the current role exists
    return Rights(*row)


@contextmanager
def open_scratch(
    url: str, schemas: Sequence[str], rights: Rights, *, prepare: Callable[[Scratch], None]
) -> Iterator[Scratch]:
    """Make a place for the tables of these schemas, and drop it at the end, whatever happened.

    Args:
        prepare: makes the tables. In a database of its own it may fail, because something is missing there that the
            protected database has; then it is called again with schemas, if the role may make some.

    Raises:
        errors.Refused: the role may make neither.
        errors.DatabaseTrouble: what `prepare` raises where there is no other place to try.
    """
    rights.require_some()
    with closing(connect(url, application_name=_APPLICATION)) as guard:
        with translated("preparing the drill"):
            # A role may have a limit for sessions that only hold a lock.
            guard.execute("SET idle_session_timeout = 0")
        if rights.may_create_database:
            with _made(guard, url, _make_database, schemas) as scratch:
                if scratch is not None and _is_prepared(scratch, prepare, is_last=not rights.may_create_schema):
                    yield scratch
                    return
        if rights.may_create_schema:
            with _made(guard, url, _make_schemas, schemas) as scratch:
                if scratch is not None:
                    prepare(scratch)
                    yield scratch
                    return
    raise errors.Refused(
        "The database for the drill could be made but not used.",
        hint=f'GRANT CREATE ON DATABASE "{rights.database}" TO "{rights.role}", or let pg_hba.conf allow '
        f"{rights.role} databases named {SCRATCH_PREFIX}…",
    )


def drop_leftovers(url: str) -> tuple[str, ...]:
    """Drop what drills left behind that died; their names. Places of drills that live are let alone."""
    with closing(connect(url, application_name=_APPLICATION)) as conn, translated("looking for leftovers of drills"):
        found = conn.execute(
            """
            SELECT 'schema', nspname::text FROM pg_catalog.pg_namespace
            WHERE nspname ~ %(name)s AND pg_catalog.pg_has_role(nspowner, 'USAGE')
            UNION ALL
            SELECT 'database', datname::text FROM pg_catalog.pg_database
            WHERE datname ~ %(name)s AND pg_catalog.pg_has_role(datdba, 'USAGE') ORDER BY 2""",
            {"name": SCRATCH_PATTERN},
        ).fetchall()
        if not found:
            return ()
        # Looked up after the names: who makes a place holds its lock already. Locks of all databases are seen here.
        held = {
            key
            for (key,) in conn.execute("""
                SELECT DISTINCT (classid::bigint << 32) | objid::bigint FROM pg_catalog.pg_locks
                WHERE locktype = 'advisory' AND objsubid = 1 AND granted""").fetchall()
        }
    dead = [(kind, name) for kind, name in found if _lock_key(name) not in held]
    for kind, name in dead:
        _drop(url, kind, [name])
    return tuple(name for _, name in dead)


@contextmanager
def _made(
    guard: Connection,
    url: str,
    make: Callable[[Connection, str, str, Sequence[str]], Scratch | None],
    schemas: Sequence[str],
) -> Iterator[Scratch | None]:
    """A place under its lock, dropped at the end; None where it cannot be entered."""
    name = f"{SCRATCH_PREFIX}{secrets.token_hex(8)}"
    with translated("preparing the drill"):
        guard.execute("SELECT pg_catalog.pg_advisory_lock(%s)", (_lock_key(name),))
    scratch = None
    try:
        scratch = make(guard, url, name, schemas)
        yield scratch
    finally:
        if scratch is not None:
            scratch.conn.close()
        _drop_calmly(guard, url, name, "database" if make is _make_database else "schema")


def _drop_calmly(guard: Connection, url: str, name: str, kind: str) -> None:
    """Drop a place. A failure hides no error and no result: the next drill or the clock's next tick finds the rest."""
    try:
        with closing(connect(url, application_name=_APPLICATION)) as conn:
            names = [name]
            if kind == "schema":
                found = conn.execute("SELECT nspname::text FROM pg_catalog.pg_namespace").fetchall()
                names = sorted(each for (each,) in found if each == name or each.startswith(f"{name}_"))
        _drop(url, kind, names)
        guard.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", (_lock_key(name),))
    except (errors.RxbackupError, psycopg.Error) as error:
        _logger.warning("The drill's %s %s is left for the next one to drop: %s", kind, name, error)


def _drop(url: str, kind: str, names: Sequence[str]) -> None:
    with closing(connect(url, application_name=_APPLICATION)) as conn, translated("cleaning up after a drill"):
        conn.execute("SET lock_timeout = '30s'")
        # DROP DATABASE waits until every backend of the server has listened, and one that waits for the rows of a COPY
        # does not: then it is tried again later.
        conn.execute("SET statement_timeout = '60s'")
        for name in names:
            if kind == "database":
                conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            else:
                _drop_schema(conn, name)


def _drop_schema(conn: Connection, name: str) -> None:
    # Few tables at a time: all at once may need more locks than the server has.
    tables = conn.execute(
        "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relkind IN ('r', 'p') ORDER BY c.relispartition DESC, c.oid",
        (name,),
    ).fetchall()
    for start in range(0, len(tables), _TABLES_A_DROP):
        some = sql.SQL(", ").join(sql.Identifier(name, table) for (table,) in tables[start:][:_TABLES_A_DROP])
        conn.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(some))
    conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


def _lock_key(name: str) -> int:
    number = int(name.removeprefix(SCRATCH_PREFIX)[:16], 16)
    return number - 2 * _SIGNED if number >= _SIGNED else number


def _make_schemas(guard: Connection, url: str, name: str, schemas: Sequence[str]) -> Scratch:
    del guard
    conn = _connect(url)
    try:
        places = {schema: name + (f"_{i}" if i else "") for i, schema in enumerate(dict.fromkeys(schemas))}
        with translated("making the drill's schemas"), conn.transaction():
            for place in places.values() or [name]:
                conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(place)))
                shut(conn, place)
    except BaseException:
        conn.close()
        raise
    return Scratch("schema", name, conn, places)


def _connect(url: str) -> Connection:
    conn = connect(url, application_name=_APPLICATION)
    # Nothing here has to outlive the server, and no standby has to hear of it first.
    conn.execute("SET synchronous_commit = off")
    return conn


def shut(conn: Connection, schema: str) -> None:
    """Take away what default privileges gave to others: rows that policies hide from them shall not be seen here."""
    others = conn.execute(
        "SELECT DISTINCT CASE WHEN x.grantee = 0 THEN NULL ELSE r.rolname::text END "
        "FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) x "
        "LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantee WHERE n.nspname = %s AND x.grantee <> n.nspowner",
        (schema,),
    ).fetchall()
    for (role,) in others:
        who = sql.SQL("PUBLIC") if role is None else sql.Identifier(role)
        conn.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(sql.Identifier(schema), who))


def _make_database(guard: Connection, url: str, name: str, schemas: Sequence[str]) -> Scratch | None:
    try:
        guard.execute(_create_database(guard, name))
        guard.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        conn = _connect(make_conninfo(url, dbname=name))
    except (psycopg.errors.DiskFull, psycopg.errors.AdminShutdown) as error:
        raise translate(error, "making the drill's database") from error
    except (psycopg.Error, errors.DatabaseTrouble) as error:
        # A limit, a rule in pg_hba.conf, a pooler that knows only some names: schemas do as well.
        _logger.info("No database for the drill: %s", error)
        return None
    try:
        with translated("making the drill's schemas"):
            for schema in dict.fromkeys(schemas):
                conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    except BaseException:
        conn.close()
        raise
    return Scratch("database", name, conn, {schema: schema for schema in schemas})


def _create_database(conn: Connection, name: str) -> sql.Composed:
    """CREATE DATABASE with the encoding and the locale of the protected one; the words differ between versions."""
    row = conn.execute("""
        SELECT pg_catalog.pg_encoding_to_char(d.encoding), pg_catalog.to_jsonb(d) FROM pg_catalog.pg_database d
        WHERE d.datname = pg_catalog.current_database()""").fetchone()
    assert row is not None  # noqa: S101 - the current database exists
    encoding, facts = row
    version = conn.info.server_version
    options = {"ENCODING": encoding, "LC_COLLATE": facts["datcollate"], "LC_CTYPE": facts["datctype"]}
    provider = facts.get("datlocprovider", "c")
    if version >= _PROVIDERS_SINCE:
        options["LOCALE_PROVIDER"] = {"c": "libc", "i": "icu", "b": "builtin"}[provider]
        if provider == "i":
            options["ICU_LOCALE"] = facts.get("datlocale") or facts.get("daticulocale")
            options["ICU_RULES"] = facts.get("daticurules")
        elif provider == "b" and version >= _BUILTIN_PROVIDER_SINCE:
            options["BUILTIN_LOCALE"] = facts.get("datlocale")
    said = sql.SQL(" ").join(
        sql.SQL("{} {}").format(sql.SQL(word), sql.Literal(value)) for word, value in options.items() if value
    )
    return sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(sql.Identifier(name), said)


def _is_prepared(scratch: Scratch, prepare: Callable[[Scratch], None], *, is_last: bool) -> bool:
    try:
        prepare(scratch)
    except errors.DatabaseUnavailable:
        raise
    except errors.DatabaseTrouble as error:
        if is_last:
            raise
        _logger.info("The drill's database lacks something: %s", error.message)
        return False
    return True
