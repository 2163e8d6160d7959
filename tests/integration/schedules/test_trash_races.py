"""Whoever wants to keep a backup wins against whoever removes it; and nobody gets half of one."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import BackupNotFound, RxbackupError
from rxbackup.operations import backups, trash, verifications
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupQuery, NewBackup
from tests.support.schedules import TimeMachine

ROUNDS = 8


def _together(*acts: Callable[[], object]) -> list[RxbackupError | None]:
    """Do all at once; what each of them was refused with."""
    barrier = threading.Barrier(len(acts))

    def act(one: Callable[[], object]) -> RxbackupError | None:
        barrier.wait(20)
        try:
            one()
        except RxbackupError as error:
            return error
        return None

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(act, acts))


@pytest.fixture
def services(machine: TimeMachine) -> Services:
    settings = machine.services.settings.model_copy(update={"trash_days": 0})
    return dataclasses.replace(machine.services, settings=settings)


def test_what_is_taken_out_while_the_trash_is_emptied_is_whole_or_gone(services: Services, admin: Actor) -> None:
    backups.perform_backup(services, admin, NewBackup("Neighbour"))
    for number in range(ROUNDS):
        view = backups.perform_backup(services, admin, NewBackup(f"Round {number}"))
        trash.trash_backup(services, admin, view.id)
        saved, _, _ = _together(
            lambda wanted=view.id: trash.undelete_backup(services, admin, wanted),  # type: ignore[misc]
            lambda: trash.delete_expired(services, Actor.system()),
            lambda: trash.empty_trash(services, admin),
        )
        if saved is None:
            assert verifications.perform_verify(services, admin, view.id, level="contents").ok
            backups.delete_backup(services, admin, view.id)
        else:
            with pytest.raises(BackupNotFound):
                backups.show_backup(services, admin, view.id)
    assert verifications.perform_verify(services, admin, "Neighbour", level="contents").ok


def test_a_pin_at_the_same_moment_keeps_it_out_of_the_trash(services: Services, admin: Actor) -> None:
    view = backups.perform_backup(services, admin, NewBackup("Wanted"))
    for _ in range(ROUNDS):
        _together(
            lambda: trash.trash_backup(services, admin, view.id),
            lambda: backups.set_pinned(services, admin, view.id, pinned=True),
        )
        found = backups.show_backup(services, admin, view.id).view
        assert (found.pinned, found.trashed_at) == (True, None)
        backups.set_pinned(services, admin, view.id, pinned=False)


def test_two_who_delete_the_same_backup_put_it_there_once(services: Services, admin: Actor) -> None:
    view = backups.perform_backup(services, admin, NewBackup("Unwanted"))
    refused = _together(*[lambda: trash.trash_backup(services, admin, view.id)] * 4)
    assert sum(error is None for error in refused) == 1
    assert backups.list_backups(services, admin, BackupQuery(trash=True)).total == 1
