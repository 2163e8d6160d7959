"""What somebody wants backed up: can it be, and the same as plain values for the row of a job."""

from __future__ import annotations

import dataclasses
from typing import Any

from rxbackup.errors import NotFound, UsageError
from rxbackup.groups.group import choose_groups
from rxbackup.groups.live import read_groups
from rxbackup.operations._backups.taking import check_new
from rxbackup.operations.services import Services
from rxbackup.operations.views import NewBackup
from rxbackup.tables.system import Store


def check_wish(services: Services, identity: str, new: NewBackup) -> None:
    """Refuse what no backup can be made of.

    Raises:
        UsageError: the name does not do, a group is unknown, or a store is named twice.
        NotFound: a store is unknown.
    """
    check_new(new)
    if new.groups is not None:
        choose_groups(read_groups(services.source_url), new.groups)
    with services.system.session(identity) as session:
        for name in (new.store, *new.copies):
            if session.get(Store, name) is None:
                raise NotFound(f"There is no store named {name!r}.", hint="`rxbackup store list` shows them all.")
    if new.store in new.copies or len(set(new.copies)) != len(new.copies):
        raise UsageError("A store is named twice.", hint="Name each place once: --store and --copy-to.")


def parameters_of(new: NewBackup, backup_id: str) -> dict[str, Any]:
    """The parameters of its job."""
    return {**dataclasses.asdict(new), "backup_id": backup_id}
