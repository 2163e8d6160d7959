"""Objects that vanished from the store: the next backup notices before it leans on them, and stores them anew."""

from __future__ import annotations

from uuid import uuid4

import pytest

from rxbackup.backup import plan
from rxbackup.backup.run import BackupOutcome, BackupRequest, run_backup
from rxbackup.postgres.connecting import connect
from rxbackup.postgres.watermarks import act_as_system
from rxbackup.stores.base import StoredObject
from rxbackup.vault.vault import Vault
from rxbackup.verify.contents import verify_contents
from tests.support.vaults import new_vault


@pytest.fixture
def vault() -> Vault:
    return new_vault()


@pytest.fixture
def readings(system_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A table of five segments."""
    monkeypatch.setattr(plan, "SEGMENT_BYTES", 128 * 1024)
    _run(
        system_database,
        "CREATE TABLE public.readings (id int PRIMARY KEY, note text)",
        "INSERT INTO public.readings SELECT n, md5(n::text) FROM generate_series(1, 10000) n",
    )
    return system_database


def _run(url: str, *statements: str) -> None:
    with connect(url, application_name="test") as conn:
        for statement in statements:
            conn.execute(statement)


def _take(url: str, vault: Vault, *bases: BackupOutcome, groups: tuple[str, ...] | None = None) -> BackupOutcome:
    request = BackupRequest(str(uuid4()), "Later", "", "admin@example.com", groups=groups)
    return run_backup(request, source_url=url, vault=vault, bases=[base.manifest for base in bases])


def _objects(vault: Vault) -> list[tuple[str, int, StoredObject]]:
    return list(vault.chunk_objects())


@pytest.mark.parametrize("short", [False, True], ids=["gone", "cut short"])
def test_each_object_in_turn(readings: str, vault: Vault, short: bool) -> None:
    first = _take(readings, vault)
    _run(readings, "UPDATE public.readings SET note = 'changed' WHERE id IN (100, 5000)")
    second = _take(readings, vault, first)
    assert second.manifest.leans
    anchors = set(second.manifest.leans.values())
    total = second.manifest.totals.segments_total
    newest = second
    assert len(second.manifest.needed_ids()) > total > 3
    for chunk, generation, found in _objects(vault):
        needed = newest.manifest.needed_ids()
        vault.delete_chunk(chunk, generation)
        if short:
            vault.store.put(found.name, b"")
        newest = _take(readings, vault, newest)
        assert verify_contents(vault, newest.manifest).ok
        read = newest.manifest.totals.segments_read
        if chunk in needed:
            assert read == 1, (chunk in anchors, read)
            assert "stored anew" in newest.manifest.warnings[-1]
            # Those that needed it before are whole again, too.
            assert verify_contents(vault, second.manifest).ok
        else:
            assert read == 0
            assert newest.manifest.warnings == []
    assert _take(readings, vault, newest).manifest.totals.segments_read == 0


def test_what_cannot_come_back_is_named(readings: str, vault: Vault) -> None:
    first = _take(readings, vault)
    chunk = first.manifest.tables[0].segments[0].chunks[0]
    vault.delete_chunk(chunk, 0)
    _run(readings, "DELETE FROM public.readings WHERE id = 1")
    second = _take(readings, vault, first)
    assert verify_contents(vault, second.manifest).ok
    assert not verify_contents(vault, first.manifest).ok
    [warning] = second.manifest.warnings
    assert "cannot be restored whole" in warning.replace("\n", " ")


def test_everything_gone(readings: str, vault: Vault) -> None:
    first = _take(readings, vault)
    for chunk, generation, _ in _objects(vault):
        vault.delete_chunk(chunk, generation)
    second = _take(readings, vault, first)
    assert second.manifest.totals.segments_read == second.manifest.totals.segments_total
    assert verify_contents(vault, first.manifest).ok
    assert verify_contents(vault, second.manifest).ok


def test_the_newest_that_may_be_leaned_on_and_holds_enough(readings: str, vault: Vault) -> None:
    _run(readings, "CREATE TABLE public.lone_a (id int)", "CREATE TABLE public.lone_b (id int)")
    whole = _take(readings, vault)
    some = _take(readings, vault, whole, groups=("Lone",))
    assert some.manifest.totals.segments_read == 0
    again = _take(readings, vault, some, whole)
    assert (again.manifest.base_id, again.manifest.totals.segments_read) == (whole.manifest.backup_id, 0)
    assert _take(readings, vault, some, whole, groups=("Lone",)).manifest.base_id == some.manifest.backup_id
    with connect(readings, application_name="test") as conn, conn.transaction():
        act_as_system(conn)
        conn.execute("DELETE FROM rxbackup.watermarks WHERE backup_id = %s", (again.manifest.backup_id,))
    # The newest belongs to a history that is gone; the one before it does not.
    assert _take(readings, vault, again, whole).manifest.base_id == whole.manifest.backup_id
