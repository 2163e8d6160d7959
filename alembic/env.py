"""How Alembic finds the tables and the database.

`rxbackup migrate` hands over its own connection, inside a transaction that also makes roles and the queue. Called by
hand (`alembic revision --autogenerate …`), the database is RXBACKUP_SYSTEM_URL or RXBACKUP_DATABASE_URL.
The bundled application is a branch of its own: `alembic -x tables=bundled …` looks at its tables instead of ours.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from rxbackup.settings import Settings
from rxbackup.tables import protected, system  # noqa: F401 - their tables register themselves
from rxbackup.tables.base import SCHEMA, ProtectedTable, SystemTable
from rxbackup.tables.connecting import make_engine

BUNDLED = context.get_x_argument(as_dictionary=True).get("tables") == "bundled"


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Compare only what is ours: schema `rxbackup`, or `public` for the bundled application."""
    if kind == "schema":
        return name is None if BUNDLED else name == SCHEMA
    return name != "alembic_version"


def include_object(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
    """Leave out a default that draws from a sequence: comparing it would mean drawing, and never be equal."""
    return (kind, name) != ("column", "asset_tag")


def run(connection: Connection) -> None:
    # SQLAlchemy asked before the path was set, and "$user" may be the name of our own schema.
    connection.dialect.default_schema_name = "public"
    context.configure(
        connection=connection,
        target_metadata=ProtectedTable.metadata if BUNDLED else SystemTable.metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=include_name,
        include_object=include_object,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def own_connection() -> None:
    settings = Settings()
    url = settings.system_url or settings.database_url
    if url is None:
        raise SystemExit("Set RXBACKUP_SYSTEM_URL or RXBACKUP_DATABASE_URL to the database to look at.")
    with make_engine(url.get_secret_value(), pooled=False).begin() as connection:
        connection.exec_driver_sql("SET LOCAL search_path TO public")
        connection.exec_driver_sql("SELECT set_config('rxbackup.actor', 'system', true)")
        run(connection)


given: Connection | None = context.config.attributes.get("connection")
if context.is_offline_mode():
    raise SystemExit("Migrations look at the database while they run; there is no offline mode.")
if given is None:
    own_connection()
else:
    run(given)
