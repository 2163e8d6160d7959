"""The safety backup: of everything, told apart by its name, and gone again where it was for nothing."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import Corrupt, DatabaseTrouble, PlanRefused
from rxbackup.operations import backups, restores
from rxbackup.operations._restores.safety import safety_name
from rxbackup.operations.views import BackupView, NewBackup, NewRestore
from tests.support.installation import Installation

CLAIMS = """
CREATE TABLE public.claims (id int PRIMARY KEY, customer_id int REFERENCES public.customers);
INSERT INTO public.customers VALUES (999, 'new');
INSERT INTO public.claims VALUES (1, 999)
"""
NOW = datetime(2026, 11, 22, 21, 10, tzinfo=UTC)


def _names(installation: Installation, admin: Actor) -> list[str]:
    return [view.name for view in backups.list_backups(installation.services, admin).items]


def _group_of(installation: Installation, admin: Actor, backup: str, table: str) -> str:
    groups = backups.show_backup(installation.services, admin, backup).groups
    return next(group.name for group in groups if table in group.tables)


def test_a_refused_restore_leaves_no_safety_backup(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql(CLAIMS)

    with pytest.raises(PlanRefused):
        restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))

    assert _names(installation, admin) == ["First"]
    with services.system.session("system") as session:
        newest_first = [(entry.action, entry.actor) for entry in audit.read_entries(session)]
    assert newest_first[:2] == [("restore.failed", admin.email), ("backup.deleted", "system")]
    assert installation.system_sql("SELECT count(*) FROM rxbackup.objects WHERE name LIKE 'manifests/%%'") == [(1,)]


def test_a_restore_that_fails_otherwise_keeps_it(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'")
    installation.sql("CREATE TRIGGER z BEFORE INSERT ON public.notes FOR EACH ROW EXECUTE FUNCTION refuse()")
    installation.sql("DELETE FROM public.notes")
    installation.sql("ALTER TABLE public.notes ADD COLUMN odd int GENERATED ALWAYS AS (1 / (id - 3)) STORED")

    with pytest.raises(DatabaseTrouble):
        restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))

    assert len(_names(installation, admin)) == 2


def test_damage_keeps_it_too(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("UPDATE public.customers SET name = name || '!'")
    installation.sql("UPDATE public.orders SET total = total + 1")
    installation.sql("UPDATE public.notes SET body = body || '!'")
    installation.damage()

    with pytest.raises(Corrupt):
        restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))

    assert len(_names(installation, admin)) == 2


def test_it_holds_every_group_also_where_one_is_restored(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    installation.sql("DELETE FROM public.notes")
    notes = _group_of(installation, admin, backup.id, "public.notes")

    done = restores.perform_restore(services, admin, NewRestore(backup.id, groups=(notes,), confirm_name="First"))

    assert list(done.tables) == ["public.notes"]
    assert done.safety_backup is not None
    safety = backups.show_backup(services, admin, done.safety_backup)
    assert (safety.view.tables, safety.view.rows) == (3, 550)
    assert safety.view.groups == backup.groups


def test_names_say_when_never_nest_and_never_meet(installation: Installation, admin: Actor) -> None:
    services = installation.services
    backup = backups.perform_backup(services, admin, NewBackup("First"))
    for _ in range(2):
        restores.perform_restore(services, admin, NewRestore(backup.id, confirm_name="First"))
    safety = backups.list_backups(services, admin).items[0]
    restores.perform_restore(services, admin, NewRestore(safety.id, confirm_name=safety.name))

    names = _names(installation, admin)
    assert len(names) == len(set(names)) == 4
    assert all(name.startswith("Before restoring First, ") for name in names[:3])
    assert "Before restoring Before" not in "".join(names)


@pytest.mark.parametrize(
    ("name", "trigger", "expected"),
    [
        ("Monday", "manual", "Before restoring Monday, 22 Nov 2026, 21:10"),
        ("Before restoring Monday", "manual", "Before restoring Before restoring Monday, 22 Nov 2026, 21:10"),
        ("Before restoring Monday", "safety", "Before restoring Monday, 22 Nov 2026, 21:10"),
        ("Before restoring Monday, 1 Jan 2026, 09:00", "safety", "Before restoring Monday, 22 Nov 2026, 21:10"),
        ("Before restoring Monday, 1 Jan 2026, 09:00 (2)", "safety", "Before restoring Monday, 22 Nov 2026, 21:10"),
        ("x" * 255, "manual", "Before restoring " + "x" * 218 + ", 22 Nov 2026, 21:10"),
    ],
)
def test_the_name(name: str, trigger: str, expected: str) -> None:
    blank = BackupView(**{field.name: None for field in dataclasses.fields(BackupView)})  # type: ignore[arg-type]
    view = dataclasses.replace(blank, name=name, trigger=trigger)
    assert safety_name(view, NOW) == expected
    assert len(safety_name(view, NOW, number=2)) <= 255
