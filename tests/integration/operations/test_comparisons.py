"""Comparing as an operation: a run that keeps numbers only, and rows for whoever may see them."""

from __future__ import annotations

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import NotFound, PermissionDenied, Refused, UsageError
from rxbackup.operations import backups, comparisons, jobs
from rxbackup.operations.views import BackupView, NewBackup
from rxbackup.worker.dispatch import perform_job
from tests.support.installation import CONSOLE, Installation


@pytest.fixture
def taken(installation: Installation) -> BackupView:
    view = backups.perform_backup(installation.services, CONSOLE, NewBackup("First"))
    installation.sql("DELETE FROM public.orders WHERE id <= 3")
    installation.sql("UPDATE public.customers SET name = 'Ünal' WHERE id = 7")
    installation.sql("INSERT INTO public.notes (body) VALUES (NULL)")
    return view


def test_a_backup_and_now(installation: Installation, taken: BackupView) -> None:
    found = comparisons.perform_compare(installation.services, CONSOLE, taken.id)
    assert {t.name: (t.added, t.changed, t.removed) for t in found.tables} == {
        "public.customers": (0, 1, 0), "public.notes": (1, 0, 0), "public.orders": (0, 0, 3),
    }  # fmt: skip
    assert sum(group.removed for group in found.groups) == 3
    assert found.after is None
    assert comparisons.show_comparison(installation.services, CONSOLE, found.job) == found
    run = jobs.show_job(installation.services, CONSOLE, found.job)
    assert run.message == "1 added, 1 changed, 3 removed: 3 tables differ."
    assert "nal" not in str(run.result)

    rows = comparisons.compare_rows(installation.services, CONSOLE, taken.id, "now", "customers")
    (changed,) = rows.rows
    assert [(f.column, f.before, f.after, f.differs) for f in changed.fields] == [
        ("id", "7", "7", False), ("name", "customer 7", "Ünal", True),
    ]  # fmt: skip
    orders = comparisons.compare_rows(installation.services, CONSOLE, taken.id, "now", "public.orders", skip=1, limit=1)
    assert ([row.fields[0].before for row in orders.rows], orders.more) == (["2"], True)
    none = comparisons.compare_rows(
        installation.services, CONSOLE, taken.id, "now", "public.orders", change="added", cut=3
    )
    assert (none.rows, none.more) == ((), False)
    notes = comparisons.compare_rows(installation.services, CONSOLE, taken.id, "now", "notes").rows
    assert [(row.change, row.fields[1].after) for row in notes] == [("added", None)]


def test_two_backups_as_a_queued_run(installation: Installation, taken: BackupView, admin: Actor) -> None:
    services = installation.services
    later = backups.perform_backup(services, CONSOLE, NewBackup("Second"))
    assert comparisons.latest_comparison(services, admin, "First", "Second") is None
    job = comparisons.request_compare(services, admin, "First", "Second")
    with pytest.raises(Refused):
        comparisons.show_comparison(services, admin, job.id)
    perform_job(services, *installation.queue.jobs[-1])
    found = comparisons.show_comparison(services, admin, job.id)
    assert (found.before.id, found.after and found.after.id) == (taken.id, later.id)
    assert [(t.name, t.rows_before, t.rows_after) for t in found.tables if t.removed] == [("public.orders", 500, 497)]
    latest = comparisons.latest_comparison(services, admin, "First", "Second")
    assert latest is not None
    assert latest.id == job.id
    installation.sql("DELETE FROM public.customers WHERE id > 49 AND id NOT IN (SELECT customer_id FROM public.orders)")
    same = comparisons.perform_compare(services, CONSOLE, "Second", "now")
    assert (same.tables, same.parts_opened) == ((), 0)


def test_groups_that_only_one_side_holds(installation: Installation, taken: BackupView) -> None:
    services = installation.services
    groups = {group.name for group in backups.show_backup(services, CONSOLE, taken.id).groups}
    some = next(group for group in backups.show_backup(services, CONSOLE, taken.id).groups if group.rows == 20)
    backups.perform_backup(services, CONSOLE, NewBackup("Notes", groups=(some.name,)))
    found = comparisons.perform_compare(services, CONSOLE, "First", "Notes")
    assert [t.name for t in found.tables] == ["public.notes"]
    assert set(found.notes) == {f"{name} is only in First: not compared." for name in groups - {some.name}}


def test_who_may_and_what_may_not_be_asked(installation: Installation, taken: BackupView, admin: Actor) -> None:
    services = installation.services
    operator, viewer = Actor("bob@example.org", "operator"), Actor("eve@example.org", "viewer")
    for who in (operator, viewer):
        with pytest.raises(PermissionDenied):
            comparisons.compare_rows(services, who, taken.id, "now", "orders")
    with pytest.raises(PermissionDenied):
        comparisons.request_compare(services, viewer, taken.id)
    with pytest.raises(UsageError):
        comparisons.perform_compare(services, admin, taken.id, "First")
    with pytest.raises(NotFound):
        comparisons.perform_compare(services, admin, taken.id, "Second")
    with pytest.raises(NotFound):
        comparisons.compare_rows(services, admin, taken.id, "now", "nothing")
    with pytest.raises(UsageError):
        comparisons.compare_rows(services, admin, taken.id, "now", "orders", change="moved")
    job = comparisons.request_compare(services, admin, taken.id)
    with pytest.raises(NotFound):
        comparisons.show_comparison(services, admin, taken.job_id or "")
    assert job.backup_name == "First"
