"""A restore can be taken back, and so can that; modes that add do not take away."""

from __future__ import annotations

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import BackupNotFound, JobNotFound, PlanRefused, Refused
from rxbackup.operations import backups, previews, restores, undos
from rxbackup.operations.views import NewBackup, NewRestore
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
    undone = undos.perform_undo(services, admin)
    assert _bodies(installation) == spoiled_again
    # The one before is next; what was undone is not undone twice.
    assert undos.show_undo(services, admin).job == first.job
    undos.perform_undo(services, admin)
    assert _bodies(installation) == spoiled
    with pytest.raises(JobNotFound, match="no restore to undo"):
        undos.show_undo(services, admin)
    # Named, even an undo can be undone.
    undos.perform_undo(services, admin, undone.job)
    assert _bodies(installation) == original


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
