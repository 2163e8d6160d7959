"""A restore can be taken back, and so can that; modes that add do not take away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import BackupNotFound, JobNotFound, PlanRefused, Refused
from rxbackup.operations import backups, jobs, previews, restores, undos
from rxbackup.operations._runs import running
from rxbackup.operations.views import NewBackup, NewRestore
from rxbackup.worker.scheduler import tick
from tests.support.installation import Installation


def _bodies(installation: Installation) -> list[object]:
    return [row[0] for row in installation.sql("SELECT body FROM public.notes ORDER BY id")]


def _spoil(installation: Installation) -> None:
    installation.sql("DELETE FROM public.notes WHERE id = 1")
    installation.sql("UPDATE public.notes SET body = 'spoiled' WHERE id = 2")
    installation.sql("INSERT INTO public.notes (id, body) VALUES (900, 'newer')")


def test_undo_puts_back_what_a_restore_replaced_level_by_level(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    original = _bodies(installation)
    _spoil(installation)
    spoiled = _bodies(installation)
    first = restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    assert _bodies(installation) == original

    installation.sql("UPDATE public.notes SET body = 'spoiled again' WHERE id = 3")
    spoiled_again = _bodies(installation)
    second = restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))

    assert undos.show_undo(services, admin).job == second.job
    assert undos.show_undo(services, admin).undone_by is None
    undone = undos.perform_undo(services, admin)
    assert _bodies(installation) == spoiled_again
    assert undos.show_undo(services, admin, second.job).undone_by == undone.job
    # The one before is next; what was undone is not undone twice.
    assert undos.show_undo(services, admin).job == first.job
    undos.perform_undo(services, admin)
    assert _bodies(installation) == spoiled
    with pytest.raises(JobNotFound, match="no restore to undo"):
        undos.show_undo(services, admin)
    # Named, even an undo can be undone.
    undos.perform_undo(services, admin, undone.job)
    assert _bodies(installation) == original
    # Then its rows stand again.
    assert undos.show_undo(services, admin, second.job).undone_by is None


def test_what_cannot_be_undone_says_why(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    assert backup.job_id is not None
    with pytest.raises(Refused, match="no finished restore"):
        undos.show_undo(services, admin, backup.job_id)
    bare = restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First", safety=False))
    with pytest.raises(Refused, match="no safety backup"):
        undos.show_undo(services, admin, bare.job)
    done = restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    assert done.safety_backup is not None
    backups.delete_backup(services, admin, done.safety_backup)
    with pytest.raises(BackupNotFound, match="was deleted"):
        undos.perform_undo(services, admin, done.job)


@pytest.mark.parametrize(("mode", "changed", "removed"), [("missing", 0, 0), ("changed", 1, 0), ("exact", 1, 1)])
def test_modes_do_what_they_say(
    installation: Installation, admin: Actor, mode: str, changed: int, removed: int
) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    _spoil(installation)
    new = NewRestore(backup.id, mode=mode, confirm_name="First")
    foretold = previews.perform_preview(services, admin, new)
    done = restores.perform_restore(services, admin, new)
    change = done.tables["public.notes"]
    assert (change.added, change.changed, change.removed) == (1, changed, removed)
    told = next(t for t in foretold.tables if t.name == "public.notes").change
    assert told is not None
    assert (told.added, told.changed, told.removed) == (1, changed, removed)
    now = _bodies(installation)
    assert ("newer" in now, "spoiled" in now) == (not removed, not changed)


@pytest.mark.parametrize("mode", ["missing", "changed"])
def test_which_of_two_rows_keeps_a_unique_value_is_not_guessed(
    installation: Installation, admin: Actor, mode: str
) -> None:
    services = installation.services
    installation.sql("CREATE TABLE public.badges (id int PRIMARY KEY, code text UNIQUE)")
    installation.sql("INSERT INTO public.badges VALUES (1, 'a'), (2, 'b')")
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("DELETE FROM public.badges WHERE id = 1")
    installation.sql("INSERT INTO public.badges VALUES (3, 'a')")
    with pytest.raises(
        PlanRefused, match=r"1 rows of public.badges cannot come back, because newer rows hold their code"
    ):
        restores.perform_restore(services, admin, NewRestore(backup.id, mode=mode, confirm_name="First"))
    assert installation.sql("SELECT id, code FROM public.badges ORDER BY id") == [(2, "b"), (3, "a")]


def test_an_undo_takes_single_tables_back_whatever_the_mode_was(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    _spoil(installation)
    spoiled = _bodies(installation)
    new = NewRestore(backup.id, tables=("public.notes",), mode="missing", confirm_name="First")
    done = restores.perform_restore(services, admin, new)
    installation.sql("UPDATE public.orders SET total = 0")
    view = undos.show_undo(services, admin)
    assert (view.job, view.tables) == (done.job, ("public.notes",))

    undone = undos.perform_undo(services, admin)

    assert _bodies(installation) == spoiled
    assert list(undone.tables) == ["public.notes"]
    assert installation.sql("SELECT DISTINCT total FROM public.orders") == [(0,)]


def test_an_undo_is_previewed_like_a_restore(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    _spoil(installation)
    done = restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    undo = undos.show_undo(services, admin)
    preview = undos.preview_undo(services, admin)
    change = next(t.change for t in preview.tables if t.name == "public.notes")
    assert change is not None
    assert (change.added, change.changed, change.removed) == (1, 1, 1)
    installation.sql("INSERT INTO public.notes (id, body) VALUES (901, 'newer still')")
    with pytest.raises(PlanRefused, match=r"public\.notes"):
        undos.perform_undo(services, admin, undo.job, preview=preview.job)
    installation.sql("DELETE FROM public.notes WHERE id = 901")
    undos.perform_undo(services, admin, preview=preview.job)
    with pytest.raises(JobNotFound):
        undos.show_undo(services, admin)
    assert undos.show_undo(services, admin, done.job).job == done.job


def test_a_restore_can_be_undone_until_a_day_and_then_no_more(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    new = NewRestore(backup.id, confirm_name="First")
    older, pinned, newest = (restores.perform_restore(services, admin, new) for _ in range(3))
    assert pinned.safety_backup is not None
    assert older.undo_until is not None
    assert older.undo_until - services.clock() > timedelta(days=13, hours=23)
    assert undos.show_undo(services, admin, older.job).until == older.undo_until
    assert jobs.show_job(services, admin, older.job).result["undo_until"] == older.undo_until.isoformat()
    backups.set_pinned(services, admin, pinned.safety_backup, pinned=True)
    assert undos.show_undo(services, admin, pinned.job).until is None
    backups.perform_backup(services, admin, NewBackup("Last"))

    installation.clock.forward(days=13)
    tick(services)
    assert undos.show_undo(services, admin, older.job)
    installation.clock.forward(days=2)
    tick(services)

    with pytest.raises(BackupNotFound, match="was deleted"):
        undos.show_undo(services, admin, older.job)
    # What is pinned stays, and so does the way back from the newest restore.
    for stays in (pinned, newest):
        assert undos.show_undo(services, admin, stays.job)
    assert "First" in [view.name for view in backups.list_backups(services, admin).items]


def test_a_safety_backup_stays_while_it_is_in_use_or_the_newest(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    new = NewRestore(backup.id, confirm_name="First")
    older = restores.perform_restore(services, admin, new)
    restores.perform_restore(services, admin, new)
    installation.clock.forward(days=15)
    waiting = undos.request_undo(services, admin, older.job)
    assert undos.expire_safety_backups(services, Actor.system()) == 0
    jobs.cancel_job(services, admin, waiting.id)
    # The newest backup there is stays, whatever it was taken for.
    installation.system_sql("UPDATE rxbackup.jobs SET result = result - 'safety_backup'")
    assert undos.expire_safety_backups(services, Actor.system()) == 1
    assert undos.expire_safety_backups(services, Actor.system()) == 0
    assert [view.trigger for view in backups.list_backups(services, admin).items] == ["safety", "manual"]


def test_a_restore_whose_process_died_after_its_commit_can_be_undone(
    installation: Installation, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    _spoil(installation)
    spoiled = _bodies(installation)

    def die(*arguments: object, **named: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(running.Run, "succeed", die)
        dying.setattr(running.Run, "fail", lambda *_: None)
        with pytest.raises(SystemExit):
            restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    assert _bodies(installation) != spoiled
    installation.system_sql("UPDATE rxbackup.jobs SET heartbeat_at = now() - interval '1 hour' WHERE kind = 'restore'")
    (job,) = jobs.reap_dead_jobs(services, Actor.system())

    assert jobs.show_job(services, admin, job).state == "succeeded"
    assert undos.show_undo(services, admin).until is not None
    undos.perform_undo(services, admin, job)
    assert _bodies(installation) == spoiled
