"""A preview in rows is a run: it tells what a restore would do, only to who may restore, and not for ever."""

from __future__ import annotations

import dataclasses

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import JobNotFound, PermissionDenied, PlanRefused, Refused
from rxbackup.operations import backups, jobs, previews, restores
from rxbackup.operations._restores.foretelling import with_fewer_samples
from rxbackup.operations.views import NewBackup, NewRestore, RestorePreview
from rxbackup.worker.dispatch import perform_job
from rxbackup.worker.scheduler import tick
from tests.support.installation import ADMIN, Installation


def _spoiled(installation: Installation, admin: Actor) -> NewRestore:
    backup = backups.perform_backup(installation.services, admin, NewBackup("First"))
    installation.sql("DELETE FROM public.orders WHERE id <= 3")
    installation.sql("UPDATE public.notes SET body = 'spoiled' WHERE id = 2")
    installation.sql("INSERT INTO public.notes (id, body) VALUES (900, 'newer')")
    return NewRestore(backup.id)


def _changes(preview: RestorePreview) -> dict[str, tuple[int, int, int]]:
    return {t.name: (t.change.added, t.change.changed, t.change.removed) for t in preview.tables if t.change}


def test_a_requested_preview_tells_the_rows_and_changes_none(installation: Installation, admin: Actor) -> None:
    services = installation.services
    new = _spoiled(installation, admin)
    image = installation.image()
    job = previews.request_preview(services, admin, new)
    assert (job.kind, job.state, job.backup_name) == ("preview", "queued", "First")
    assert previews.show_preview(services, admin, job.id) is None

    perform_job(services, job.id, "preview")

    done = jobs.show_job(services, admin, job.id)
    assert (done.state, done.message) == ("succeeded", "A restore of First would set 5 rows right.")
    shown = previews.show_preview(services, admin, job.id)
    assert shown is not None
    assert (shown.is_exact, shown.allowed, shown.mode, shown.job) == (True, True, "exact", job.id)
    assert _changes(shown) == {"public.customers": (0, 0, 0), "public.notes": (0, 1, 1), "public.orders": (3, 0, 0)}
    assert installation.image() == image


def test_what_comes_out_of_the_row_is_what_went_in(installation: Installation, admin: Actor) -> None:
    services = installation.services
    new = _spoiled(installation, admin)
    performed = previews.perform_preview(services, admin, dataclasses.replace(new, mode="changed"))
    assert previews.show_preview(services, admin, performed.job) == performed


def test_a_preview_of_a_plan_with_problems_tells_those(installation: Installation, admin: Actor) -> None:
    new = _spoiled(installation, admin)
    installation.sql("DROP TABLE public.notes")
    preview = previews.perform_preview(installation.services, admin, new)
    assert (preview.allowed, preview.is_exact) == (False, False)
    assert [problem.kind for problem in preview.problems] == ["table-missing"]
    assert previews.show_preview(installation.services, admin, preview.job) == preview


def test_a_newer_request_takes_the_place_of_the_older(installation: Installation, admin: Actor) -> None:
    services = installation.services
    new = _spoiled(installation, admin)
    older = previews.request_preview(services, admin, new)
    newer = previews.request_preview(services, admin, dataclasses.replace(new, mode="missing"))
    assert jobs.show_job(services, admin, older.id).state == "cancelled"
    assert jobs.show_job(services, admin, newer.id).state == "queued"
    # A double click is one wish, and does not cancel itself.
    assert previews.request_preview(services, admin, dataclasses.replace(new, mode="missing")).id == newer.id
    assert jobs.show_job(services, admin, newer.id).state == "queued"
    with pytest.raises(Refused, match="Cancelled by"):
        previews.show_preview(services, admin, older.id)


def test_a_preview_is_forgotten_after_a_day(installation: Installation, admin: Actor) -> None:
    services = installation.services
    preview = previews.perform_preview(services, admin, _spoiled(installation, admin))
    installation.clock.forward(hours=23)
    tick(services)
    assert previews.show_preview(services, admin, preview.job) is not None
    installation.clock.forward(hours=2)
    tick(services)
    with pytest.raises(Refused, match="more than a day old"):
        previews.show_preview(services, admin, preview.job)
    assert jobs.show_job(services, admin, preview.job).message.startswith("A restore of First")
    assert installation.system_sql("SELECT result ? 'preview' FROM rxbackup.jobs WHERE kind = 'preview'") == [(False,)]


def test_values_of_rows_are_told_only_to_who_may_restore(installation: Installation, admin: Actor) -> None:
    services = installation.services
    preview = previews.perform_preview(services, admin, _spoiled(installation, admin))
    for role in ("viewer", "operator"):
        with pytest.raises(PermissionDenied):
            previews.show_preview(services, Actor(ADMIN, role), preview.job)
        views = (jobs.show_job(services, Actor(ADMIN, role), preview.job), *jobs.recent_jobs(services, admin))
        assert [set(view.result) for view in views if view.kind == "preview"] == [{"message"}, {"message"}]
    waiting = previews.request_preview(services, admin, NewRestore(preview.backup.id))
    with pytest.raises(PermissionDenied):
        jobs.cancel_job(services, Actor(ADMIN, "operator"), waiting.id)


def test_only_a_preview_is_shown_as_one(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    assert backup.job_id is not None
    with pytest.raises(Refused, match="no preview"):
        previews.show_preview(services, admin, backup.job_id)
    with pytest.raises(JobNotFound):
        previews.show_preview(services, admin, "nonsense")


def _restore_after_preview(installation: Installation, admin: Actor, new: NewRestore) -> NewRestore:
    preview = previews.perform_preview(installation.services, admin, new)
    return dataclasses.replace(new, confirm_name="First", preview=preview.job)


def test_a_restore_does_what_its_preview_showed(installation: Installation, admin: Actor) -> None:
    services = installation.services
    new = _restore_after_preview(installation, admin, _spoiled(installation, admin))
    # Fewer changes, and more rows that only come back, are no reason to stop.
    installation.sql("DELETE FROM public.notes WHERE id = 900")
    installation.sql("DELETE FROM public.orders WHERE id BETWEEN 4 AND 9")
    done = restores.perform_restore(services, admin, new)
    assert {name: (c.added, c.changed, c.removed) for name, c in done.tables.items()} == {
        "public.customers": (0, 0, 0),
        "public.notes": (0, 1, 0),
        "public.orders": (9, 0, 0),
    }


@pytest.mark.parametrize(
    "meanwhile",
    ["INSERT INTO public.notes (id, body) VALUES (901, 'newer still')", "UPDATE public.orders SET total = 0"],
)
def test_more_changes_than_were_shown_are_refused(installation: Installation, admin: Actor, meanwhile: str) -> None:
    services = installation.services
    new = _restore_after_preview(installation, admin, _spoiled(installation, admin))
    installation.sql(meanwhile)
    image = installation.image()
    with pytest.raises(PlanRefused, match="More rows would be changed or removed now than the preview showed"):
        restores.perform_restore(services, admin, new)
    assert installation.image() == image
    assert [view.name for view in backups.list_backups(services, admin).items] == ["First"]


def test_another_ground_or_choice_than_the_preview_s_is_refused(installation: Installation, admin: Actor) -> None:
    services = installation.services
    new = _restore_after_preview(installation, admin, _spoiled(installation, admin))
    backup = backups.perform_backup(services, admin, NewBackup("Other"))
    for wrong, words in (
        (dataclasses.replace(new, mode="missing"), "changed since the preview"),
        (dataclasses.replace(new, tables=("public.notes",)), "changed since the preview"),
        (dataclasses.replace(new, set_aside=True), "of another choice"),
        (dataclasses.replace(new, backup_id=backup.id, confirm_name="Other"), "of another choice"),
        (dataclasses.replace(new, preview=backup.job_id), "no preview of these rows"),
        (dataclasses.replace(new, preview="nonsense"), "no such preview"),
    ):
        with pytest.raises(PlanRefused, match=words):
            restores.request_restore(services, admin, wrong)
    assert installation.queue.jobs == []
    installation.sql("ALTER TABLE public.notes ADD COLUMN extra int")
    for ask in (restores.request_restore, restores.perform_restore):
        with pytest.raises(PlanRefused, match="changed since the preview"):
            ask(services, admin, new)
    assert [view.name for view in backups.list_backups(services, admin).items] == ["Other", "First"]


def test_single_tables_are_previewed_and_restored(installation: Installation, admin: Actor) -> None:
    services = installation.services
    new = dataclasses.replace(_spoiled(installation, admin), tables=("public.notes",))
    new = _restore_after_preview(installation, admin, new)
    job = restores.request_restore(services, admin, new)
    perform_job(services, job.id, "restore")
    done = jobs.show_job(services, admin, job.id)
    assert (done.state, list(done.result["tables"])) == ("succeeded", ["public.notes"])
    assert installation.sql("SELECT count(*) FROM public.orders") == [(497,)]


def test_a_column_that_moved_is_told(installation: Installation, admin: Actor) -> None:
    new = _spoiled(installation, admin)
    installation.sql("ALTER TABLE public.notes RENAME COLUMN body TO words")
    installation.sql("ALTER TABLE public.customers ADD COLUMN since date")
    preview = previews.perform_preview(installation.services, admin, new)
    assert [(d.table, d.column, d.kind, d.blocks) for d in preview.drift] == [
        ("public.customers", "since", "new", False),
        ("public.notes", "body", "renamed", True),
    ]
    assert previews.show_preview(installation.services, admin, preview.job) == preview


def test_what_speaks_against_it_is_told_with_what_can_be_done(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("INSERT INTO public.customers VALUES (999, 'new')")
    installation.sql("CREATE TABLE public.claims (id int PRIMARY KEY, customer_id int REFERENCES public.customers)")
    installation.sql("INSERT INTO public.claims VALUES (1, 999)")
    installation.sql("DELETE FROM public.notes WHERE id = 1")
    new = NewRestore(backup.id, confirm_name="First")

    refused = previews.perform_preview(services, admin, new)

    assert (refused.allowed, refused.is_exact, refused.problems) == (False, True, ())
    (consequence,) = refused.consequences
    assert (consequence.kind, consequence.table, consequence.other, consequence.rows) == (
        "orphans",
        "public.claims",
        "public.customers",
        1,
    )
    assert "set-aside" in [choice.kind for choice in consequence.choices]
    assert previews.show_preview(services, admin, refused.job) == refused
    with pytest.raises(PlanRefused, match=r"public\.claims"):
        restores.perform_restore(services, admin, new)

    aside = dataclasses.replace(new, set_aside=True)
    preview = previews.perform_preview(services, admin, aside)
    assert (preview.allowed, preview.consequences) == (True, ())
    done = restores.perform_restore(services, admin, dataclasses.replace(aside, preview=preview.job))
    assert (done.tables["public.customers"].set_aside, done.tables["public.notes"].added) == (1, 1)
    assert installation.sql("SELECT name FROM public.customers WHERE id = 999") == [("new",)]


def test_a_preview_shows_rows_and_how_much_of_a_table_differs(installation: Installation, admin: Actor) -> None:
    services = installation.services
    preview = previews.perform_preview(services, admin, _spoiled(installation, admin))
    notes = next(table for table in preview.tables if table.name == "public.notes")
    assert [
        (row.change, [(f.column, f.before, f.after) for f in row.fields if f.differs]) for row in notes.samples
    ] == [
        ("change", [("body", "spoiled", "ää")]),
        ("remove", [("id", "900", None), ("body", "newer", None)]),
    ]
    assert (notes.segments_touched, notes.segments_total) in {(1, 1), (None, None)}
    assert previews.show_preview(services, admin, preview.job) == preview


def test_sample_rows_share_the_room_there_is(installation: Installation, admin: Actor) -> None:
    new = _spoiled(installation, admin)
    preview = previews.perform_preview(installation.services, admin, new)
    assert sorted(len(table.samples) for table in preview.tables) == [0, 2, 3]
    fewer = with_fewer_samples(preview, characters=400)
    assert sorted(len(table.samples) for table in fewer.tables) == [0, 1, 1]
    assert with_fewer_samples(preview, characters=10_000) == preview
    assert with_fewer_samples(preview, characters=0).tables[-1].samples == ()
