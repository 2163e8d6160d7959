"""Pruning frees exactly what nobody needs, says so before, and refuses where it cannot know."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import Busy, NotFound, Refused, RxbackupError, VaultMarkerMissing
from rxbackup.operations import backups, prunes, verifications
from rxbackup.operations.views import BackupView, NewBackup, PruneView
from rxbackup.progress import Progress
from tests.support.installation import Installation

READINGS = """
CREATE TABLE public.readings (id int PRIMARY KEY, note text NOT NULL);
INSERT INTO public.readings SELECT n, md5(n::text) || repeat(md5((n % 7)::text), 3) FROM generate_series(1, 4000) n;
"""


@pytest.fixture(params=["database", "local"])
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _take(installation: Installation, admin: Actor, store: str, name: str) -> BackupView:
    return backups.perform_backup(installation.services, admin, NewBackup(name, store=store))


def _change(installation: Installation, *ids: int) -> None:
    installation.sql("UPDATE public.readings SET note = reverse(note) WHERE id = ANY (%s)", list(ids))


def _chunk_bytes(installation: Installation, store: str) -> int:
    return sum(found.size for _, _, found in installation.services.open_vault(store).chunk_objects())


def _objects(installation: Installation, store: str) -> set[str]:
    return {found.name for found in installation.services.open_vault(store).store.list()}


def _rows(installation: Installation) -> list[tuple[object, ...]]:
    return installation.system_sql("SELECT state, count(*) FROM rxbackup.chunks GROUP BY state ORDER BY state")


def _prune(installation: Installation, admin: Actor, store: str) -> PruneView:
    [view] = prunes.perform_prune(installation.services, admin, store)
    return view


def _is_sound(installation: Installation, admin: Actor, *kept: BackupView) -> None:
    for backup in kept:
        found = verifications.perform_verify(installation.services, admin, backup.id, level="contents")
        assert found.ok, found.damaged


def _forget_unlinked(installation: Installation, backup: BackupView) -> None:
    """Delete a backup's row alone: as if the process had ended before it freed anything."""
    installation.services.open_vault(backup.store).delete_manifest(backup.id)
    installation.system_sql("DELETE FROM rxbackup.backups WHERE id = %s", backup.id)


def _with_something_to_free(installation: Installation, admin: Actor, store: str) -> BackupView:
    """Of three backups the middle one is gone, and its difference with it; the last, a difference too, is kept."""
    installation.sql(READINGS)
    _take(installation, admin, store, "First")
    _change(installation, 1, 4000)
    gone = _take(installation, admin, store, "Gone")
    _change(installation, 2, 3000)
    kept = _take(installation, admin, store, "Kept")
    _forget_unlinked(installation, gone)
    return kept


@contextmanager
def _running_backup(installation: Installation, admin: Actor, store: str, name: str) -> Iterator[None]:
    """A backup that has stored all its chunks and goes on when the block is left; it must end well."""
    errors: list[RxbackupError] = []
    services = installation.again()
    stands, goes_on = threading.Event(), threading.Event()

    def on_progress(progress: Progress) -> None:
        if "manifest" in progress.stage:
            stands.set()
            goes_on.wait(60)

    def run() -> None:
        try:
            backups.perform_backup(services, admin, NewBackup(name, store=store), on_progress=on_progress)
        except RxbackupError as error:
            errors.append(error)
        finally:
            stands.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert stands.wait(60)
        assert errors == []
        yield
    finally:
        goes_on.set()
        thread.join(60)
        services.system.dispose()
    assert errors == []


def test_deleting_frees_exactly_what_nobody_else_needs(installation: Installation, admin: Actor, store: str) -> None:
    services = installation.services
    installation.sql(READINGS)
    first = _take(installation, admin, store, "First")
    _change(installation, 7)
    second = _take(installation, admin, store, "Second")
    assert backups.show_backup(services, admin, second.id).frees_bytes > 0
    # The second is a difference from a chunk of the first: that anchor stays as long as it is needed.
    [leaning] = installation.system_sql("SELECT count(*) FROM rxbackup.chunks WHERE anchor IS NOT NULL")
    assert leaning[0] > 0
    for victim, kept in ((first, [second]), (second, [])):
        promised = backups.show_backup(services, admin, victim.id).frees_bytes
        before = _chunk_bytes(installation, store)
        backups.delete_backup(services, admin, victim.id)
        assert before - _chunk_bytes(installation, store) == promised
        _is_sound(installation, admin, *kept)
    assert {name for name in _objects(installation, store) if "/" in name} == set()
    assert _rows(installation) == []


def test_a_prune_does_what_its_preview_said(installation: Installation, admin: Actor, store: str) -> None:
    services = installation.services
    kept = _with_something_to_free(installation, admin, store)
    vault = services.open_vault(store)
    orphan = vault.put_chunk(b"left behind by a backup that was killed")

    [preview] = prunes.preview_prune(services, admin, store)
    assert _objects(installation, store) >= {orphan.object_name}
    assert (preview.unneeded_chunks > 0, preview.orphan_objects, preview.orphan_bytes) == (True, 1, orphan.stored_bytes)
    before = _chunk_bytes(installation, store)
    done = _prune(installation, admin, store)
    assert done == dataclasses.replace(
        preview,
        freed_chunks=preview.unneeded_chunks + 1,
        freed_bytes=preview.unneeded_bytes + preview.orphan_bytes,
    )
    assert before - _chunk_bytes(installation, store) == done.freed_bytes
    assert _rows(installation)[0][0] == "live"
    assert len(_rows(installation)) == 1
    assert prunes.preview_prune(services, admin, store) == (PruneView(store),)
    assert _prune(installation, admin, store) == PruneView(store)
    _is_sound(installation, admin, kept)


def test_all_stores_are_pruned_at_once_and_unused_ones_left_alone(installation: Installation, admin: Actor) -> None:
    services = installation.services
    _take(installation, admin, "database", "First")
    views = prunes.perform_prune(services, admin)
    assert [view.store for view in views] == ["database"]
    assert not services.local_folder.exists()
    assert prunes.perform_prune(services, admin, "local") == ()
    with pytest.raises(NotFound):
        prunes.preview_prune(services, admin, "elsewhere")


def test_a_running_backup_keeps_the_chunks_it_may_lean_on(installation: Installation, admin: Actor, store: str) -> None:
    services = installation.services
    installation.sql(READINGS)
    first = _take(installation, admin, store, "First")
    with _running_backup(installation, admin, store, "Second"):
        backups.delete_backup(services, admin, first.id)
        assert _rows(installation)[-1][0] == "tombstone"
        [preview] = prunes.preview_prune(services, admin, store)
        assert (preview.unneeded_chunks, preview.waiting_for) == (0, ("Second",))
        assert preview.waiting_chunks > 0
        done = _prune(installation, admin, store)
        assert (done.freed_chunks, done.waiting_chunks) == (0, preview.waiting_chunks)
    second = backups.show_backup(services, admin, "Second").view
    assert [state for state, _ in _rows(installation)] == ["live"]
    assert _prune(installation, admin, store).freed_chunks == 0
    _is_sound(installation, admin, second)


def test_what_waited_for_a_backup_that_did_not_need_it_goes_by_itself(
    installation: Installation, admin: Actor, store: str
) -> None:
    services = installation.services
    first = _take(installation, admin, store, "First")
    installation.sql("TRUNCATE public.notes, public.orders, public.customers")
    with _running_backup(installation, admin, store, "Second"):
        backups.delete_backup(services, admin, first.id)
        assert prunes.sweep_waiting(services, Actor.system()) == 0
    assert prunes.sweep_waiting(services, Actor.system()) > 0
    assert [state for state, _ in _rows(installation)] in (["live"], [])
    assert prunes.sweep_waiting(services, Actor.system()) == 0


def test_who_begins_after_a_chunk_was_retired_writes_the_next_generation(
    installation: Installation, admin: Actor, store: str
) -> None:
    services = installation.services
    installation.sql(READINGS)
    first = _take(installation, admin, store, "First")
    with _running_backup(installation, admin, store, "Second"):
        installation.sql("TRUNCATE public.readings")
    second = backups.show_backup(services, admin, "Second").view
    # First is gone and its chunks are retired, beside a backup that runs: so the prune cannot finish yet.
    with _running_backup(installation, admin, store, "Third"):
        backups.delete_backup(services, admin, first.id)
        backups.delete_backup(services, admin, second.id)
        installation.sql("DROP TABLE public.readings")
        installation.sql(READINGS)
        fourth = _take(installation, admin, store, "Fourth")
        generations = installation.system_sql(
            "SELECT DISTINCT k.generation, k.anchor IS NULL FROM rxbackup.backup_chunks u "
            "JOIN rxbackup.chunks k ON k.id = u.chunk_id AND k.store = u.store WHERE u.backup_id = %s",
            fourth.id,
        )
        assert (1, True) in generations
    third = backups.show_backup(services, admin, "Third").view
    for _ in range(2):
        _prune(installation, admin, store)
        _is_sound(installation, admin, third, fourth)
    again = _take(installation, admin, store, "Fifth")
    _is_sound(installation, admin, again)
    [view] = prunes.preview_prune(services, admin, store)
    assert view == PruneView(store)


def test_grace_lets_everything_stay_a_while(installation: Installation, admin: Actor, store: str) -> None:
    services = installation.services
    patient = services.settings.model_copy(update={"prune_grace_minutes": 30})
    installation.services = services = dataclasses.replace(services, settings=patient)
    first = _take(installation, admin, store, "First")
    before = _chunk_bytes(installation, store)
    [(chunks,)] = installation.system_sql("SELECT count(*) FROM rxbackup.chunks")
    backups.delete_backup(services, admin, first.id)
    view = _prune(installation, admin, store)
    assert (view.freed_chunks, view.waiting_chunks, view.waiting_for) == (0, chunks, ())
    assert _chunk_bytes(installation, store) == before
    installation.system_sql("UPDATE rxbackup.chunks SET retired_at = retired_at - interval '31 minutes'")
    assert _prune(installation, admin, store).freed_chunks == chunks


def test_nothing_is_deleted_where_the_catalogue_lacks_a_backup(
    installation: Installation, admin: Actor, store: str
) -> None:
    services = installation.services
    first = _take(installation, admin, store, "First")
    installation.sql("DELETE FROM public.notes")
    second = _take(installation, admin, store, "Second")
    orphan = services.open_vault(store).put_chunk(b"orphan")
    # As if the catalogue were one of yesterday: the store has what it never heard of.
    installation.system_sql("DELETE FROM rxbackup.backups WHERE id = %s", first.id)
    before = _objects(installation, store)
    [preview] = prunes.preview_prune(services, admin, store)
    assert preview.unknown_backups == 1
    assert f"store rebuild {store}" in preview.refused
    with pytest.raises(Refused, match="does not know"):
        prunes.perform_prune(services, admin, store)
    assert _objects(installation, store) == before
    # Deleting another backup removes that one, and nothing else.
    backups.delete_backup(services, admin, second.id)
    assert before - _objects(installation, store) == {f"manifests/{second.id}"}
    assert orphan.object_name in _objects(installation, store)


def test_one_store_that_refuses_does_not_keep_another_from_being_pruned(
    installation: Installation, admin: Actor
) -> None:
    services = installation.services
    lost = _take(installation, admin, "database", "Lost")
    gone = _take(installation, admin, "local", "Gone")
    installation.system_sql("DELETE FROM rxbackup.backups WHERE id = %s", lost.id)
    _forget_unlinked(installation, gone)
    with pytest.raises(Refused, match="does not know"):
        prunes.perform_prune(services, admin)
    assert _chunk_bytes(installation, "local") == 0
    assert _chunk_bytes(installation, "database") > 0


def test_another_installations_store_is_left_alone(installation: Installation, admin: Actor, store: str) -> None:
    services = installation.services
    gone = _take(installation, admin, store, "Gone")
    _forget_unlinked(installation, gone)
    document = f'{{"format":"rxbackup-owner/1","installation":"{uuid.uuid4()}","since":"2026-11-01T00:00:00+00:00"}}'
    services.open_vault(store).store.put("owner.json", document.encode())
    before = _objects(installation, store)
    with pytest.raises(Refused, match="another installation"):
        prunes.perform_prune(services, admin, store)
    [preview] = prunes.preview_prune(services, admin, store)
    assert "another installation" in preview.refused
    assert _objects(installation, store) == before


@pytest.mark.parametrize("change", ["gone", "another"])
def test_without_the_vaults_own_marker_nothing_is_deleted(
    installation: Installation, admin: Actor, store: str, change: str
) -> None:
    services = installation.services
    gone = _take(installation, admin, store, "Gone")
    _forget_unlinked(installation, gone)
    objects = services.open_vault(store).store
    if change == "gone":
        objects.delete("vault.json")
    else:
        objects.put(
            "vault.json",
            objects.get("vault.json").replace(services.open_vault(store).id.encode(), str(uuid.uuid4()).encode()),
        )
    before = _objects(installation, store)
    with pytest.raises(VaultMarkerMissing):
        prunes.perform_prune(services, admin, store)
    [preview] = prunes.preview_prune(services, admin, store)
    assert preview.refused
    assert _objects(installation, store) == before
    assert _rows(installation)[0][0] == "live"


@pytest.mark.parametrize("how", ["gone", "torn"])
def test_what_is_missing_is_told_and_nothing_deleted_for_it(
    installation: Installation, admin: Actor, store: str, how: str
) -> None:
    services = installation.services
    backup = _take(installation, admin, store, "First")
    objects = services.open_vault(store).store
    if store == "database":
        installation.system_sql("UPDATE rxbackup.chunks SET object_name = NULL")
    victim = next(name for name in sorted(_objects(installation, store)) if name.startswith("chunks/"))
    if how == "gone":
        objects.delete(victim)
    else:
        objects.put(victim, objects.get(victim)[:-9])
    before = _objects(installation, store)
    view = _prune(installation, admin, store)
    assert view.damage == ("1 chunk missing or damaged, needed by First.",)
    assert (view.freed_chunks, _objects(installation, store)) == (0, before)
    # A full backup mends it, for both.
    full = backups.perform_backup(services, admin, NewBackup("Second", store=store, full=True))
    assert prunes.preview_prune(services, admin, store) == (PruneView(store),)
    _is_sound(installation, admin, backup, full)


def test_a_lost_manifest_is_told(installation: Installation, admin: Actor, store: str) -> None:
    services = installation.services
    backup = _take(installation, admin, store, "First")
    services.open_vault(store).delete_manifest(backup.id)
    view = _prune(installation, admin, store)
    assert view.damage == ("The manifest of First is missing.",)
    assert view.freed_chunks == 0


def test_manifests_of_what_was_given_up_go(installation: Installation, admin: Actor, store: str) -> None:
    services = installation.services
    kept = _take(installation, admin, store, "Kept")
    given_up = _take(installation, admin, store, "Given up")
    installation.system_sql("UPDATE rxbackup.backups SET state = 'interrupted' WHERE id = %s", given_up.id)
    installation.system_sql("DELETE FROM rxbackup.backup_chunks WHERE backup_id = %s", given_up.id)
    _prune(installation, admin, store)
    assert services.open_vault(store).manifest_ids() == [kept.id]
    _is_sound(installation, admin, kept)


def test_further_generations_go_once_nothing_runs(installation: Installation, admin: Actor, store: str) -> None:
    services = installation.services
    backup = _take(installation, admin, store, "First")
    vault = services.open_vault(store)
    chunk = next(vault.chunk_objects())[0]
    avoiding = vault.avoiding({chunk: 0})
    assert avoiding.put_chunk(vault.get_chunk(chunk)).generation == 1
    with _running_backup(installation, admin, store, "Second"):
        [view] = prunes.preview_prune(services, admin, store)
        assert view.orphan_objects == 0
        assert _prune(installation, admin, store).freed_chunks == 0
    [view] = prunes.preview_prune(services, admin, store)
    assert view.orphan_objects == 1
    assert _prune(installation, admin, store).freed_bytes == view.orphan_bytes
    assert [generation for _, generation, _ in vault.chunk_objects() if generation] == []
    _is_sound(installation, admin, backup)


def test_what_is_held_is_not_deleted(installation: Installation, admin: Actor) -> None:
    from rxbackup.errors import BackupNotFound
    from rxbackup.operations._backups.holding import hold_backup

    services = installation.services
    backup = _take(installation, admin, "database", "First")
    with hold_backup(services, backup.id), hold_backup(services, backup.id):
        with pytest.raises(Busy, match="First is being read"):
            backups.delete_backup(services, admin, backup.id)
        assert backups.show_backup(services, admin, backup.id).view.state == "complete"
    backups.delete_backup(services, admin, backup.id)
    with pytest.raises(BackupNotFound), hold_backup(services, backup.id):
        pass


def test_two_prunes_at_once_take_turns(installation: Installation, admin: Actor, store: str) -> None:
    kept = _with_something_to_free(installation, admin, store)
    results: list[PruneView] = []
    errors: list[RxbackupError] = []

    def prune() -> None:
        services = installation.again()
        try:
            results.extend(prunes.perform_prune(services, admin, store))
        except RxbackupError as error:
            errors.append(error)
        finally:
            services.system.dispose()

    threads = [threading.Thread(target=prune) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert sum(1 for view in results if view.freed_chunks) == 1
    _is_sound(installation, admin, kept)


def test_a_prune_is_queued_once_a_day_and_not_on_the_first(installation: Installation, admin: Actor) -> None:
    services = installation.services
    system = Actor.system()
    assert prunes.prune_daily(services, system) is None
    _take(installation, admin, "database", "First")
    assert prunes.prune_daily(services, system) is None
    installation.system_sql("UPDATE rxbackup.chunks SET created_at = created_at - interval '25 hours'")
    job = prunes.prune_daily(services, system)
    assert job is not None
    assert (job.kind, job.state) == ("prune", "queued")
    assert prunes.prune_daily(services, system) is None
    prunes.perform_prune(services, system, job_id=job.id)
    installation.system_sql("UPDATE rxbackup.jobs SET created_at = created_at - interval '25 hours'")
    assert prunes.prune_daily(services, system) is not None
