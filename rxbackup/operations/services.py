"""What operations need to work, as one value that `wiring` builds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func
from sqlmodel import Session, select

from rxbackup.settings import Settings
from rxbackup.tables.session import SystemDatabase
from rxbackup.vault.vault import Vault


def ask_database(session: Session) -> datetime:
    """The present instant as the database of rxbackup's own tables sees it: one clock for all instances."""
    moment: datetime = session.exec(select(func.clock_timestamp())).one()
    return moment


@dataclass(frozen=True, slots=True)
class Services:
    """The live objects of one installation.

    Attributes:
        settings: what the environment says.
        system: rxbackup's own tables.
        system_url: where those are.
        source_url: the database that is protected.
        clock: the present instant, with zone; tests turn it.
        open_vault: store name → its vault, opened once and kept.
        queue: (job id, kind) → hand the job to a worker; the queue's own id, None if nothing queues.
        local_folder: where the `local` store is.
        processes: copy processes of one backup.
        embedded: whether the protected database is the embedded one.
        database_clock: decides what is due and what expires, whatever the clocks of the instances say; tests turn it.
    """

    settings: Settings
    system: SystemDatabase
    system_url: str
    source_url: str
    clock: Callable[[], datetime]
    open_vault: Callable[[str], Vault]
    queue: Callable[[str, str], int | None]
    local_folder: Path
    processes: int
    embedded: bool = False
    database_clock: Callable[[Session], datetime] = ask_database
