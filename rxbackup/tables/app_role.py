"""The role under which our own statements run: it owns nothing, cannot log in and cannot step around policies.

It is made by `migrate` and by the embedded server. Where the login may not create roles there is none; then FORCE ROW
LEVEL SECURITY covers the owner of the tables, and `doctor` says what is weaker.
"""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from rxbackup.errors import Refused

APP_ROLE = "rxbackup_app"
_FIRST_WITH_GRANT_OPTIONS = 160000
_NOT_ALLOWED = "42501"
_THERE_ALREADY = ("42710", "23505")

_MAY_BECOME = text("""
    SELECT coalesce(bool_and(pg_has_role(oid,
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)), false)
    FROM pg_roles WHERE rolname = :role
""")
_FACTS = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :role")
# Written out each time: what a table allows is decided here, not by the order in which migrations ran.
_GRANTS = (
    "GRANT USAGE ON SCHEMA rxbackup TO rxbackup_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rxbackup TO rxbackup_app",
    "REVOKE INSERT, UPDATE, DELETE ON rxbackup.alembic_version FROM rxbackup_app",
    "REVOKE UPDATE, DELETE ON rxbackup.audit FROM rxbackup_app",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rxbackup TO rxbackup_app",
)


def may_become_app_role(connection: Connection) -> bool:
    """Whether the role is there and this login may become it."""
    return bool(connection.execute(_MAY_BECOME, {"role": APP_ROLE}).scalar())


def provide_app_role(connection: Connection) -> bool:
    """Make the role and let this login become it; False where the login may do neither.

    Raises:
        Refused: there is such a role, and it could step around policies.
    """
    is_mighty = connection.execute(_FACTS, {"role": APP_ROLE}).scalar()
    if is_mighty:
        raise Refused(
            f"The role {APP_ROLE} is a superuser or bypasses row-level security; rxbackup's own rules would not hold.",
            hint=f"ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS, then try again.",
        )
    if is_mighty is None and not _try(connection, f"CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS"):
        return False
    if may_become_app_role(connection):
        return True
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    options = " WITH INHERIT FALSE, SET TRUE" if version >= _FIRST_WITH_GRANT_OPTIONS else ""
    return _try(connection, f"GRANT {APP_ROLE} TO CURRENT_USER{options}")


def grant_to_app_role(connection: Connection) -> None:
    """Let the role use our tables, as far as policies allow. Does nothing where there is no such role."""
    if connection.execute(_FACTS, {"role": APP_ROLE}).scalar() is None:
        return
    for statement in _GRANTS:
        connection.exec_driver_sql(statement)


def _try(connection: Connection, statement: str) -> bool:
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement)
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _THERE_ALREADY:  # another database of this server is migrated at the same moment
            return True
        if state == _NOT_ALLOWED:
            return False
        raise
    return True
