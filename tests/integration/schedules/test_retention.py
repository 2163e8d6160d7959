"""What a schedule keeps no more goes to the trash, and what is in the trash can be had back."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import BackupNotFound, Busy, NotFound, PermissionDenied, Refused, UsageError
from rxbackup.operations import backups, restores, retentions, trash, verifications
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._telling.alerting import raise_alert, solve_alert
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupQuery, BackupView, NewBackup, NewRestore
from rxbackup.operations.views.trash import EmptiedView, TrashView
from rxbackup.retention.policy import Policy
from tests.support.schedules import MONDAY, TimeMachine


def _taken(machine: TimeMachine, schedule_id: str, days: float, **facts: object) -> str:
    """A backup of the schedule, so many days old; its row is all there is of it."""
    backup_id = str(uuid4())
    machine.installation.system_sql(
        "INSERT INTO rxbackup.backups (id, name, created_by, store, state, trigger, schedule_id, timestamp, "
        "backup_data, verified_level, pinned, error) "
        "VALUES (%s, %s, 'ada@example.org', 'database', %s, 'schedule', %s, "
        "%s, '{}', %s, %s, %s)",
        backup_id,
        f"{days} days old",
        facts.get("state", "complete"),
        schedule_id,
        MONDAY - timedelta(days=days),
        facts.get("level", "stored"),
        facts.get("pinned", False),
        facts.get("error"),
    )
    return backup_id


def _there(machine: TimeMachine, *, in_trash: bool = False) -> set[str]:
    query = BackupQuery(trash=in_trash)
    return {view.name for view in backups.list_backups(machine.services, Actor.system(), query).items}


def _retain(machine: TimeMachine) -> int:
    machine.clock.forward(days=1)
    return retentions.retain_daily(machine.services, Actor.system())


def test_a_good_backup_lets_the_old_ones_go_and_a_failed_one_does_not(machine: TimeMachine, admin: Actor) -> None:
    view = machine.add(admin, policy=Policy(last=2))
    machine.to(datetime.now(MONDAY.tzinfo).replace(minute=0) + timedelta(days=1))
    for days in (1, 2, 3):
        _taken(machine, view.id, days)
    _taken(machine, view.id, 0, state="failed")
    machine.look()
    machine.work()
    assert _there(machine, in_trash=True) == {"2 days old", "3 days old"}
    assert len(_there(machine)) == 3
    [gone, _] = backups.list_backups(machine.services, admin, BackupQuery(trash=True)).items
    assert gone.trashed_by == "system"
    assert gone.trash_until == machine.clock.now + timedelta(days=7)


def test_pins_uses_the_proven_one_and_alerts_are_respected(machine: TimeMachine, admin: Actor) -> None:
    services = machine.services
    view = machine.add(admin, policy=Policy(days=10))
    _taken(machine, view.id, 0)
    _taken(machine, view.id, 50, level="decrypted")
    _taken(machine, view.id, 60, pinned=True)
    held = _taken(machine, view.id, 70)
    _taken(machine, view.id, 80)
    _taken(machine, view.id, 90, error='{"code": "corrupt", "message": "", "hint": ""}')
    with services.system.session("system") as session:
        raise_alert(session, "radar", "", "critical", "Rows are gone.")
    assert (_retain(machine), _there(machine, in_trash=True)) == (0, set())
    assert "rows seem to be lost" in retentions.preview_retention(services, admin, "Nightly").held
    with services.system.session("system") as session:
        solve_alert(session, "radar", "", admin.email)

    with hold_backup(services, held):
        judged = retentions.preview_retention(services, admin, "Nightly")
        assert {each.name: each.reasons for each in judged.backups} == {
            "0 days old": ("of the last 10 days",),
            "50 days old": ("the newest that is proven",),
            "60 days old": ("pinned",),
            "70 days old": ("being read",),
            "80 days old": (),
        }
        assert judged.backups[0].until == MONDAY + timedelta(days=10)
        assert (_retain(machine), _there(machine, in_trash=True)) == (1, {"80 days old"})
    assert _retain(machine) == 1
    assert retentions.retain_daily(services, Actor.system()) == 0  # once a day


def test_beside_a_backup_of_a_day_to_come_nothing_is_old(machine: TimeMachine, admin: Actor) -> None:
    view = machine.add(admin, policy=Policy(days=10))
    for days in (0, 50, -3650):
        _taken(machine, view.id, days)
    assert (_retain(machine), _there(machine, in_trash=True)) == (0, set())
    assert "in the future" in retentions.preview_retention(machine.services, admin, "Nightly").held
    trash.trash_backup(machine.services, admin, "-3650 days old")
    assert (_retain(machine), _there(machine, in_trash=True)) == (1, {"50 days old", "-3650 days old"})


def test_a_policy_is_tried_before_it_is_saved(machine: TimeMachine, admin: Actor) -> None:
    view = machine.add(admin, policy=Policy(last=5))
    for days in range(6):
        _taken(machine, view.id, days)
    tried = retentions.preview_retention(machine.services, admin, "Nightly", changes={"last": 2})
    assert tried.keeps == "Keep the last 2, never fewer than 1 verified"
    assert [each.going for each in tried.backups] == [False, False, True, True, True, True]
    assert [each.name for each in retentions.preview_retention(machine.services, admin, "Nightly").going] == [
        "5 days old"
    ]
    assert _there(machine, in_trash=True) == set()
    with pytest.raises(NotFound):
        retentions.preview_retention(machine.services, admin, "Daily")


def test_a_policy_is_tried_in_the_zone_that_is_tried_with_it(machine: TimeMachine, admin: Actor) -> None:
    view = machine.add(admin, policy=Policy(daily=2), zone="UTC")
    for days in (0, 0.25):
        _taken(machine, view.id, days)
    # 06:00 and 12:00 UTC are one day in London; in Auckland midnight lies between.
    assert len(retentions.preview_retention(machine.services, admin, "Nightly").going) == 1
    assert retentions.preview_retention(machine.services, admin, "Nightly", zone="Pacific/Auckland").going == ()
    with pytest.raises(UsageError):
        retentions.preview_retention(machine.services, admin, "Nightly", zone="Pacific/Atlantis")


def _rows_of(services: Services, admin: Actor) -> BackupView:
    return backups.perform_backup(services, admin, NewBackup("Kept well"))


def test_the_trash_gives_back_what_it_holds_until_its_days_are_over(machine: TimeMachine, admin: Actor) -> None:
    services = machine.services
    kept = _rows_of(services, admin)
    trash.delete_expired(services, Actor.system())
    gone = trash.trash_backup(services, admin, kept.id)
    assert gone.trash_until == MONDAY + timedelta(days=7)
    with pytest.raises(Refused, match="already"):
        trash.trash_backup(services, admin, kept.id)
    with pytest.raises(Refused, match="in the trash"):
        restores.perform_restore(services, admin, NewRestore(kept.id, confirm_name=kept.name))
    assert _there(machine) == set()
    assert verifications.perform_verify(services, admin, kept.id).ok
    # It is whole: what comes after may lean on it.
    later = backups.perform_backup(services, admin, NewBackup("Later"))
    assert later.segments_read == 0

    assert trash.undelete_backup(services, admin, kept.id).trashed_at is None
    with pytest.raises(Refused):
        trash.undelete_backup(services, admin, kept.id)
    assert _there(machine) == {"Kept well", "Later"}
    trash.trash_backup(services, admin, kept.id)
    for _ in range(6):
        machine.clock.forward(days=1)
        assert trash.delete_expired(services, Actor.system()) == 0
    machine.clock.forward(days=1)
    assert trash.delete_expired(services, Actor.system()) == 1
    with pytest.raises(BackupNotFound):
        backups.show_backup(services, admin, kept.id)
    assert verifications.perform_verify(services, admin, later.id, level="contents").ok


def test_a_clock_that_jumps_empties_no_trash(machine: TimeMachine, admin: Actor) -> None:
    services = machine.services
    kept = _rows_of(services, admin)
    trash.delete_expired(services, Actor.system())
    trash.trash_backup(services, admin, kept.id)
    machine.clock.forward(days=3650)
    assert trash.delete_expired(services, Actor.system()) == 0
    machine.clock.forward(hours=23)
    assert trash.delete_expired(services, Actor.system()) == 0
    assert trash.undelete_backup(services, admin, kept.id).state == "complete"


def test_a_pin_and_a_reader_win_against_the_trash(machine: TimeMachine, admin: Actor) -> None:
    services = machine.services
    kept = _rows_of(services, admin)
    with hold_backup(services, kept.id), pytest.raises(Busy):
        trash.trash_backup(services, admin, kept.id)
    trash.trash_backup(services, admin, kept.id)
    assert backups.set_pinned(services, admin, kept.id, pinned=True).trashed_at is None
    with pytest.raises(Refused, match="pinned"):
        trash.trash_backup(services, admin, kept.id)


def test_a_store_that_is_away_keeps_what_is_over_in_the_trash(machine: TimeMachine, admin: Actor) -> None:
    services = machine.services
    kept = backups.perform_backup(services, admin, NewBackup("Kept", store="local"))
    trash.delete_expired(services, Actor.system())
    trash.trash_backup(services, admin, kept.id)
    folder, away = services.local_folder, services.local_folder.with_name("away")
    for _ in range(8):
        machine.clock.forward(days=1)
        folder.rename(away) if folder.exists() else None
        assert trash.delete_expired(machine.services, Actor.system()) == 0
    away.rename(folder)
    assert trash.undelete_backup(services, admin, kept.id).state == "complete"


def test_what_never_was_complete_is_deleted_at_once(machine: TimeMachine, admin: Actor) -> None:
    _rows_of(machine.services, admin)
    view = machine.add(admin)
    failed = _taken(machine, view.id, 0, state="failed")
    trash.trash_backup(machine.services, admin, failed)
    assert _there(machine, in_trash=True) == set()
    with pytest.raises(BackupNotFound):
        backups.show_backup(machine.services, admin, failed)


def test_no_days_in_the_trash_means_the_next_look(machine: TimeMachine, admin: Actor) -> None:
    settings = machine.services.settings.model_copy(update={"trash_days": 0})
    services = dataclasses.replace(machine.services, settings=settings)
    kept = _rows_of(services, admin)
    trash.trash_backup(services, admin, kept.id)
    assert trash.delete_expired(services, Actor.system()) == 1


def test_the_trash_is_emptied_and_what_is_in_use_stays_and_says_why(machine: TimeMachine, admin: Actor) -> None:
    services = machine.services
    kept, used, gone = (backups.perform_backup(services, admin, NewBackup(name)) for name in ("Kept", "Used", "Gone"))
    for view in (used, gone):
        trash.trash_backup(services, admin, view.id)
    assert trash.weigh_trash(services, admin) == TrashView(2, used.stored_bytes + gone.stored_bytes)
    with hold_backup(services, used.id):
        emptied = trash.empty_trash(services, admin)
    assert (emptied.deleted, emptied.stored_bytes) == (1, gone.stored_bytes)
    (stays,) = emptied.staying
    assert (stays.id, stays.name, "read" in stays.why, bool(stays.hint)) == (used.id, "Used", True, True)
    assert (_there(machine), _there(machine, in_trash=True)) == ({"Kept"}, {"Used"})
    assert trash.empty_trash(services, admin).staying == ()
    assert trash.empty_trash(services, admin) == EmptiedView(0, 0, ())
    assert verifications.perform_verify(services, admin, kept.id, level="contents").ok
    with pytest.raises(PermissionDenied):
        trash.empty_trash(services, Actor("bob@example.org", "operator"))


def test_old_failures_of_schedules_go_by_themselves(machine: TimeMachine, admin: Actor) -> None:
    services = machine.services
    _rows_of(services, admin)
    nightly, weekly = machine.add(admin), machine.add(admin, "Weekly")
    for days, state in ((5, "interrupted"), (31, "failed"), (40, "interrupted")):
        _taken(machine, nightly.id, days, state=state)
    _taken(machine, nightly.id, 41, state="failed", pinned=True)
    _taken(machine, nightly.id, 42)
    _taken(machine, weekly.id, 50, state="failed")  # its newest failure
    pointed = _taken(machine, weekly.id, 51, state="failed")
    by_hand = _taken(machine, weekly.id, 52, state="failed")
    machine.installation.system_sql("UPDATE rxbackup.backups SET trigger = 'manual' WHERE id = %s", by_hand)
    with services.system.session("system") as session:
        raise_alert(session, "failure", weekly.id, "critical", "It failed.", details={"backup": pointed})
    assert retentions.forget_failures(services, Actor.system()) == 2
    names = {f"{days} days old" for days in (5, 41, 42, 50, 51, 52)}
    assert _there(machine) == {"Kept well", *names}
    with services.system.session("system") as session:
        solve_alert(session, "failure", weekly.id, admin.email)
    assert retentions.forget_failures(services, Actor.system()) == 1
    machine.installation.system_sql("UPDATE rxbackup.backups SET schedule_id = NULL WHERE schedule_id = %s", weekly.id)
    assert retentions.forget_failures(services, Actor.system()) == 1
    assert _there(machine) == {"Kept well", *names} - {"50 days old", "51 days old"}
