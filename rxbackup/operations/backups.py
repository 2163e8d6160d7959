"""Backups: ask for one, take it, list, show, pin, delete."""

from __future__ import annotations

from datetime import datetime

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import (
    BackupDetail,
    BackupPage,
    BackupQuery,
    BackupView,
    GroupView,
    JobView,
    NewBackup,
    TableView,
)
from rxbackup.progress import ProgressSink


def default_name(now: datetime) -> str:
    """The name of a backup nobody named: "Backup 22 Nov 2026, 19:40"."""
    return f"Backup {now.day} {now:%b %Y, %H:%M}"


@requires(Permission.BACK_UP)
def request_backup(services: Services, actor: Actor, new: NewBackup) -> JobView:
    """Queue a backup; a worker takes it. Name at most 255 characters, groups must exist."""
    raise NotImplementedError


@requires(Permission.BACK_UP)
def perform_backup(
    services: Services,
    actor: Actor,
    new: NewBackup,
    *,
    on_progress: ProgressSink | None = None,
    job_id: str | None = None,
) -> BackupView:
    """Take a backup here and now, as a run of its own or as the queued run `job_id`."""
    raise NotImplementedError


@requires(Permission.VIEW)
def list_backups(services: Services, actor: Actor, query: BackupQuery | None = None) -> BackupPage:
    """One page of backups."""
    raise NotImplementedError


@requires(Permission.VIEW)
def show_backup(services: Services, actor: Actor, backup: str) -> BackupDetail:
    """One backup, by id, by the beginning of its id, or by its exact name.

    Raises:
        BackupNotFound: none matches, or more than one does.
    """
    raise NotImplementedError


@requires(Permission.BACK_UP)
def set_pinned(services: Services, actor: Actor, backup: str, *, pinned: bool) -> BackupView:
    """Pin a backup, so that nothing removes it by itself, or let it go again."""
    raise NotImplementedError


@requires(Permission.DELETE)
def delete_backup(services: Services, actor: Actor, backup: str) -> BackupView:
    """Delete a backup and what only it used. Refused while a run uses it, or while it is pinned."""
    raise NotImplementedError
