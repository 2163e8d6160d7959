"""Rows of a backup put elsewhere: into another database, or into a schema beside the protected tables."""

from __future__ import annotations

import dataclasses

import psycopg
import pytest

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import NotFound, PlanRefused, Refused, UsageError
from rxbackup.operations import backups, elsewhere, jobs, side_schemas, undos
from rxbackup.operations.views import BackupView, NewBackup, NewRestore, NewSideSchema
from rxbackup.worker.dispatch import perform_job
from rxbackup.worker.scheduler import tick
from tests.support.installation import SHOP, Installation
from tests.support.postgres import NewDatabase


@pytest.fixture
def backup(installation: Installation, admin: Actor) -> BackupView:
    return backups.perform_backup(installation.services, admin, NewBackup("First"))


def _query(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        cursor = conn.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_restore_into_another_database(
    installation: Installation, admin: Actor, backup: BackupView, new_database: NewDatabase
) -> None:
    services, other = installation.services, new_database()
    _query(other, SHOP)
    _query(other, "DELETE FROM public.orders; INSERT INTO public.customers VALUES (99, 'only there')")
    image = installation.image()
    new = NewRestore(backup.id, confirm_name="First")
    foretold = elsewhere.preview_restore_into(services, admin, new, other)
    assert {t.name: (t.backup_rows, t.live_rows) for t in foretold.tables}["public.orders"] == (500, 0)

    secret = f"{other}{'&' if '?' in other else '?'}password=hunter2"
    done = elsewhere.perform_restore_into(services, admin, new, secret)

    assert (done.tables["public.orders"].added, done.tables["public.customers"].removed) == (500, 1)
    assert (done.safety_backup, done.undo_until) == (None, None)
    assert _query(other, "SELECT count(*) FROM public.orders") == [(500,)]
    assert installation.image() == image
    job = jobs.show_job(services, admin, done.job)
    assert (job.kind, job.state) == ("restore-into", "succeeded")
    with pytest.raises(Refused, match="no finished restore"):
        undos.show_undo(services, admin, done.job)
    # Nothing that was written down knows more of the address than host and name.
    written = str(installation.system_sql("SELECT parameters::text, result::text FROM rxbackup.jobs"))
    with services.system.session("system") as session:
        entries = list(audit.read_entries(session))
    assert str(psycopg.conninfo.conninfo_to_dict(other)["dbname"]) in written
    assert "hunter2" not in written + str([(entry.action, entry.details) for entry in entries])
    assert "restore-into.complete" in [entry.action for entry in entries]


def test_what_is_not_somewhere_else_or_has_no_tables_is_refused(
    installation: Installation, admin: Actor, backup: BackupView, new_database: NewDatabase
) -> None:
    services, other = installation.services, new_database()
    new = NewRestore(backup.id, confirm_name="First")
    with pytest.raises(Refused, match="the protected database itself"):
        elsewhere.perform_restore_into(services, admin, new, services.source_url)
    for wrong in ("mysql://root:secret@host/db", "host=there password=secret", "postgresql://[secret"):
        with pytest.raises(UsageError) as refused:
            elsewhere.perform_restore_into(services, admin, new, wrong)
        assert "secret" not in refused.value.message + refused.value.hint
    with pytest.raises(UsageError, match="not the name"):
        elsewhere.perform_restore_into(services, admin, dataclasses.replace(new, confirm_name="x"), other)
    assert not elsewhere.preview_restore_into(services, admin, new, other).allowed
    with pytest.raises(PlanRefused, match="is in the backup but not in the database") as missing:
        elsewhere.perform_restore_into(services, admin, new, other)
    assert "holds data, not table definitions" in missing.value.hint


def test_rows_are_put_beside_the_tables_until_they_expire(
    installation: Installation, admin: Actor, backup: BackupView
) -> None:
    services = installation.services
    installation.sql("UPDATE public.notes SET body = 'later'")
    new = NewSideSchema(backup.id, "then", tables=("public.notes",), hours=2)
    job = side_schemas.request_side_schema(services, admin, new)
    perform_job(services, job.id, "side-schema")
    done = jobs.show_job(services, admin, job.id)
    assert (done.state, done.message) == ("succeeded", "First: 20 rows in 1 table are in the schema then.")
    differing = 'SELECT count(*) FROM public.notes n JOIN "then".notes t USING (id) WHERE n.body <> t.body'
    assert installation.sql(differing) == [(20,)]
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        installation.sql('DELETE FROM "then".notes')

    (listed,) = side_schemas.list_side_schemas(services, admin)
    assert (listed.name, listed.backup_name, listed.tables, listed.can_drop) == ("then", "First", 1, True)
    assert listed.expires_at.isoformat() == done.result["expires_at"]
    # Neither a backup nor a restore sees it.
    assert backups.perform_backup(services, admin, NewBackup("Second")).tables == 3

    tick(services)
    assert len(side_schemas.list_side_schemas(services, admin)) == 1
    installation.clock.forward(hours=3)
    tick(services)
    assert side_schemas.list_side_schemas(services, admin) == ()
    with services.system.session("system") as session:
        assert "side-schema.expired" in [entry.action for entry in audit.read_entries(session)]


def test_a_side_schema_is_dropped_by_hand_and_nothing_else_is(
    installation: Installation, admin: Actor, backup: BackupView
) -> None:
    services = installation.services
    made = side_schemas.perform_side_schema(services, admin, NewSideSchema(backup.id, "then"))
    assert (made.tables["public.orders"], made.places["public.orders"]) == (500, "orders")
    with pytest.raises(UsageError, match="already"):
        side_schemas.perform_side_schema(services, admin, NewSideSchema(backup.id, "then"))
    for hours in (0, 721):
        with pytest.raises(UsageError, match="hours"):
            side_schemas.perform_side_schema(services, admin, NewSideSchema(backup.id, "other", hours=hours))
    with pytest.raises(NotFound):
        side_schemas.drop_side_schema(services, admin, "public")
    side_schemas.drop_side_schema(services, admin, "then")
    assert side_schemas.list_side_schemas(services, admin) == ()
    assert installation.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'then'") == [(0,)]
