"""The whole circle through the gate: back up, look, damage, verify, restore, delete."""

from __future__ import annotations

import io
import json
import uuid

import pytest

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import BackupNotFound, Busy, Corrupt, PlanRefused, Refused, UsageError
from rxbackup.operations import backups, downloads, jobs, previews, restores, verifications
from rxbackup.operations.views import BackupQuery, NewBackup, NewRestore
from tests.support.installation import Installation


def _audited(installation: Installation) -> list[str]:
    with installation.services.system.session("system") as session:
        assert audit.verify_chain(session).ok
        return [entry.action for entry in audit.read_entries(session)][::-1]


def test_a_backup_restores_what_was_lost(installation: Installation, admin: Actor) -> None:
    services = installation.services
    before = installation.image()
    seen = []
    backup = backups.perform_backup(services, admin, NewBackup("First"), on_progress=seen.append)
    assert (backup.state, backup.rows, backup.tables) == ("complete", 570, 3)
    assert backup.created_by == admin.email
    assert backup.verified_level == "stored"
    assert seen

    installation.sql("DELETE FROM public.orders WHERE id < 100")
    installation.sql("UPDATE public.customers SET name = 'lost'")
    preview = previews.perform_preview(services, admin, NewRestore(backup.id))
    assert preview.allowed
    by_name = {table.name: table for table in preview.tables}
    assert (by_name["public.orders"].backup_rows, by_name["public.orders"].live_rows) == (500, 401)
    assert by_name["public.orders"].change is not None
    assert by_name["public.orders"].change.added == 99

    done = restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    assert installation.image() == before
    assert done.tables["public.orders"].added == 99
    assert done.tables["public.customers"].changed == 50
    assert done.safety_backup is not None
    safety = backups.show_backup(services, admin, done.safety_backup).view
    assert (safety.state, safety.trigger, safety.verified_level) == ("complete", "safety", "readable")
    assert jobs.show_job(services, admin, done.job).state == "succeeded"

    restores.perform_restore(services, admin, NewRestore(safety.id, confirm_name=safety.name))
    assert installation.sql("SELECT count(*) FROM public.orders") == [(401,)]
    assert _audited(installation)[-2:] == ["restore.complete", "restore.complete"]


def test_a_skipped_group_keeps_its_rows(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("DELETE FROM public.notes")
    installation.sql("DELETE FROM public.orders")
    kept = next(g.name for g in backups.show_backup(services, admin, backup.id).groups if "public.notes" in g.tables)
    restores.perform_restore(services, admin, NewRestore(backup.id, skip=(kept,), safety=False, confirm_name="First"))
    assert installation.sql("SELECT count(*) FROM public.notes") == [(0,)]
    assert installation.sql("SELECT count(*) FROM public.orders") == [(500,)]


def test_the_list_finds_sorts_and_pages(installation: Installation, admin: Actor) -> None:
    services = installation.services
    for name in ("Monday", "Tuesday 50%", "Wednesday"):
        backups.perform_backup(services, admin, NewBackup(name, description=f"about {name}"))
    page = backups.list_backups(services, admin, BackupQuery(per_page=2))
    assert (page.total, page.pages, [b.name for b in page.items]) == (3, 2, ["Wednesday", "Tuesday 50%"])
    assert [b.name for b in backups.list_backups(services, admin, BackupQuery(text="0%")).items] == ["Tuesday 50%"]
    names = backups.list_backups(services, admin, BackupQuery(sort="name", descending=False)).items
    assert [b.name for b in names] == ["Monday", "Tuesday 50%", "Wednesday"]
    assert backups.list_backups(services, admin, BackupQuery(state="failed")).items == ()
    assert backups.list_backups(services, admin, BackupQuery(page=99)).page == 1


def test_a_backup_is_found_by_id_beginning_and_name(installation: Installation, admin: Actor) -> None:
    services = installation.services
    made = backups.perform_backup(services, admin, NewBackup("Only one"))
    for wanted in (made.id, made.id[:8], made.id.upper(), "Only one"):
        assert backups.show_backup(services, admin, wanted).view.id == made.id
    for wanted in ("nobody", str(uuid.uuid4()), "", "%", made.id[:2]):
        with pytest.raises(BackupNotFound):
            backups.show_backup(services, admin, wanted)
    backups.perform_backup(services, admin, NewBackup("Only one"))
    with pytest.raises(BackupNotFound, match="more than one"):
        backups.show_backup(services, admin, "Only one")


def test_deleting_removes_only_what_nobody_else_needs(installation: Installation, admin: Actor) -> None:
    services = installation.services
    first = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("UPDATE public.notes SET body = 'other'")
    second = backups.perform_backup(services, admin, NewBackup("Second"))
    backups.delete_backup(services, admin, first.id)
    with pytest.raises(BackupNotFound):
        backups.show_backup(services, admin, first.id)
    assert verifications.perform_verify(services, admin, second.id).ok
    backups.delete_backup(services, admin, second.id)
    left = installation.system_sql("SELECT name FROM rxbackup.objects ORDER BY 1")
    assert left == [("owner.json",), ("vault.json",)]
    assert installation.system_sql("SELECT count(*) FROM rxbackup.chunks") == [(0,)]


def test_what_was_deleted_elsewhere_is_stored_again(installation: Installation, admin: Actor) -> None:
    # The vault of this process has seen the chunks; another process deletes them.
    services, others = installation.services, installation.again()
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    backups.delete_backup(others, admin, backup.id)
    again = backups.perform_backup(services, admin, NewBackup("Second"))
    assert verifications.perform_verify(others, admin, again.id).ok
    others.system.dispose()


def test_pinned_and_used_backups_are_not_deleted(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    assert backups.set_pinned(services, admin, backup.id, pinned=True).pinned
    with pytest.raises(Refused, match="pinned"):
        backups.delete_backup(services, admin, backup.id)
    backups.set_pinned(services, admin, backup.id, pinned=False)
    verifications.request_verify(services, admin, backup.id)
    with pytest.raises(Busy):
        backups.delete_backup(services, admin, backup.id)


def test_an_interrupted_deletion_is_finished(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.system_sql("UPDATE rxbackup.backups SET state = 'deleting'")
    assert backups.finish_deletions(services, Actor.system()) == 1
    with pytest.raises(BackupNotFound):
        backups.show_backup(services, admin, backup.id)


@pytest.mark.parametrize("change", ["content", "object"])
def test_damage_is_found_named_and_remembered(installation: Installation, admin: Actor, change: str) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    assert verifications.perform_verify(services, admin, backup.id, level="contents").ok
    assert backups.show_backup(services, admin, backup.id).view.verified_level == "decrypted"
    installation.damage(change)
    found = verifications.perform_verify(services, admin, backup.id, level="contents")
    assert not found.ok
    assert "public." in found.damaged[0]
    view = backups.show_backup(services, admin, backup.id).view
    assert view.verified_level is None
    assert view.error is not None
    assert view.error.code == "corrupt"
    before = installation.image()
    # What is as it was needs no chunk.
    restores.perform_restore(services, admin, NewRestore(backup.id, safety=False, confirm_name="First"))
    installation.touch()
    with pytest.raises(Corrupt):
        restores.perform_restore(services, admin, NewRestore(backup.id, safety=False, confirm_name="First"))
    assert installation.image() == before


def test_a_restore_wants_the_name(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    for typed in (None, "", "first", "Second"):
        with pytest.raises(UsageError):
            restores.request_restore(services, admin, NewRestore(backup.id, confirm_name=typed))
    assert jobs.active_jobs(services, admin) == ()


def test_a_restore_that_breaks_a_reference_is_refused(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("CREATE TABLE public.claims (id int PRIMARY KEY, customer_id int REFERENCES public.customers)")
    installation.sql("INSERT INTO public.customers VALUES (999, 'new')")
    installation.sql("INSERT INTO public.claims VALUES (1, 999)")
    before = installation.image()
    with pytest.raises(PlanRefused):
        restores.perform_restore(services, admin, NewRestore(backup.id, safety=False, confirm_name="First"))
    assert installation.image() == before
    assert jobs.recent_jobs(services, admin)[0].state == "failed"


@pytest.mark.parametrize("name", ["", "   ", "x" * 256, "two\nlines", "half \ud800"])
def test_names_that_cannot_be_kept_are_refused(installation: Installation, admin: Actor, name: str) -> None:
    with pytest.raises(UsageError):
        backups.request_backup(installation.services, admin, NewBackup(name))


def test_unknown_groups_and_stores_are_refused_before_queueing(installation: Installation, admin: Actor) -> None:
    services = installation.services
    with pytest.raises(UsageError, match="Nonsense"):
        backups.request_backup(services, admin, NewBackup("a", groups=("Nonsense",)))
    with pytest.raises(Exception, match="no store"):
        backups.request_backup(services, admin, NewBackup("a", store="moon"))
    assert installation.queue.jobs == []


def test_json_comes_out_once_by_link_and_any_time_by_console(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("Crème: brûlée / first"))
    link = downloads.request_link(services, admin, backup.id)
    assert link.path.startswith("/dl/")
    assert link.file_name.startswith("Creme-brulee-first-")
    token = link.path.removeprefix("/dl/")
    document = json.loads(b"".join(downloads.open_link(services, admin, token).content))
    assert len(document["data"]["public.orders"]) == 500
    with pytest.raises(Exception, match="used already"):
        downloads.open_link(services, admin, token)
    target = io.BytesIO()
    written = downloads.export_to(services, Actor.console(), backup.id, target, format_name="sql")
    assert written == len(target.getvalue())


def test_links_are_for_one_session_and_expire(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    token = downloads.request_link(services, admin, backup.id).path.removeprefix("/dl/")
    with pytest.raises(Exception, match="download link"):
        downloads.open_link(services, Actor.console("somebody@else.org"), token)
    installation.clock.forward(seconds=61)
    with pytest.raises(Exception, match="download link"):
        downloads.open_link(services, admin, token)


def test_the_local_store_keeps_and_returns(installation: Installation, admin: Actor) -> None:
    services = installation.services
    before = installation.image()
    backup = backups.perform_backup(services, admin, NewBackup("First", store="local"))
    assert backup.store == "local"
    installation.sql("DELETE FROM public.orders")
    restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    assert installation.image() == before
    backups.delete_backup(services, admin, backup.id)
