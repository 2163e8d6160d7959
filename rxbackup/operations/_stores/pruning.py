"""Prune one store: see that it may be done, look, then retire, adopt, delete."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from sqlalchemy import text
from sqlmodel import Session, col, select

from rxbackup.errors import Busy, RxbackupError
from rxbackup.operations._backups.taking import lock_store, vault_of_its_own
from rxbackup.operations._stores.collecting import (
    Freed,
    adopt_orphans,
    alone_in_store,
    delete_retired,
    retire_unneeded,
    running_in,
)
from rxbackup.operations._stores.surveying import (
    Survey,
    check_store,
    refuse_unknown,
    states_in,
    survey_store,
)
from rxbackup.operations.services import Services
from rxbackup.operations.views.prunes import PruneView
from rxbackup.progress import Progress, ProgressSink, ignore_progress
from rxbackup.prune.comparing import Misnoted, Outdated
from rxbackup.prune.manifests import ManifestFindings
from rxbackup.tables.system import Store
from rxbackup.vault.vault import Vault

_PATIENCE_SECONDS = 30.0
_QUICK_PATIENCE_SECONDS = 5.0
_OUTDATED_AT_ONCE = 50
"""No backup can begin while these are opened, compared and deleted: there are hardly ever any."""

_logger = logging.getLogger(__name__)

_GIVEN_UP = frozenset({"failed", "interrupted", "deleting"})
_NOTE = """
UPDATE rxbackup.chunks SET generation = :generation, stored_bytes = :size
WHERE store = :store AND id = decode(:id, 'hex') AND state = 'live'
"""


def used_stores(services: Services, identity: str) -> tuple[str, ...]:
    """The names of the stores that hold a vault."""
    with services.system.session(identity) as session:
        return tuple(session.exec(select(Store.name).where(col(Store.vault_id).is_not(None)).order_by(col(Store.name))))


def preview_store(services: Services, identity: str, store: str) -> PruneView:
    """What pruning would do now, or why it would be refused. Lists all objects of the store, changes nothing."""
    manifests = ManifestFindings((), (), ())
    try:
        with vault_of_its_own(services, store) as vault:
            manifests = check_store(services, identity, store, vault)
            refuse_unknown(store, manifests)
            survey = survey_store(services, identity, store, vault, manifests)
    except RxbackupError as error:
        return PruneView(store, unknown_backups=len(manifests.unknown), refused=_told(error))
    return survey.view(store, grace_minutes=services.settings.prune_grace_minutes)


def prune_store(
    services: Services, identity: str, store: str, *, on_progress: ProgressSink = ignore_progress
) -> PruneView:
    """Delete what nobody needs, after comparing all objects of the store with the catalogue.

    Raises:
        Refused, VaultMarkerMissing, StoreTrouble, …: nothing may be deleted there, or the store is away.
    """
    with _begun(services, identity, store, _PATIENCE_SECONDS) as (vault, manifests, still_alone):
        on_progress(Progress(f"Looking at the store {store}"))
        survey = survey_store(services, identity, store, vault, manifests)
        view = survey.view(store, grace_minutes=services.settings.prune_grace_minutes)
        for backup_id in survey.left_over:
            _drop_manifest(services, identity, store, vault, backup_id)
        retire_unneeded(services, identity, store)
        adopt_orphans(services, identity, store, survey.orphans)
        _set_right(services, identity, store, survey)
        total = view.unneeded_bytes + view.orphan_bytes
        freed = Freed()
        for more in _all_freed(services, identity, store, vault, survey, still_alone):
            freed = Freed(freed.chunks + more.chunks, freed.bytes + more.bytes)
            on_progress(Progress(f"Freeing the store {store}", bytes_done=freed.bytes, bytes_total=total))
    return dataclasses.replace(view, freed_chunks=freed.chunks, freed_bytes=freed.bytes)


def sweep_store(services: Services, identity: str, store: str) -> Freed:
    """Delete what the catalogue knows to be unneeded: quick, because the objects of the store are not listed.

    What cannot be done now is left to the next prune: then there is a line in the log, and no error.
    """
    freed = Freed()
    try:
        with _begun(services, identity, store, _QUICK_PATIENCE_SECONDS) as (vault, _, still_alone):
            retire_unneeded(services, identity, store)
            with closing(delete_retired(services, identity, store, vault, still_alone)) as deleting:
                for more in deleting:
                    freed = Freed(freed.chunks + more.chunks, freed.bytes + more.bytes)
    except Busy:
        _logger.info("The store %s is being pruned already", store)
    except RxbackupError as error:
        _logger.warning("What nobody needs stays in the store %s for now: %s", store, _told(error))
    return freed


@contextmanager
def _begun(
    services: Services, identity: str, store: str, patience: float
) -> Iterator[tuple[Vault, ManifestFindings, Callable[[], None]]]:
    with (
        vault_of_its_own(services, store) as vault,
        alone_in_store(services, store, patience_seconds=patience) as still_alone,
    ):
        manifests = check_store(services, identity, store, vault)
        refuse_unknown(store, manifests)
        yield vault, manifests, still_alone


def _all_freed(
    services: Services, identity: str, store: str, vault: Vault, survey: Survey, still_alone: Callable[[], None]
) -> Iterator[Freed]:
    for start in range(0, len(survey.outdated), _OUTDATED_AT_ONCE):
        batch = survey.outdated[start : start + _OUTDATED_AT_ONCE]
        yield _drop_outdated(services, identity, store, vault, batch)
    with closing(delete_retired(services, identity, store, vault, still_alone)) as deleting:
        yield from deleting


def _drop_outdated(services: Services, identity: str, store: str, vault: Vault, outdated: Sequence[Outdated]) -> Freed:
    """Delete further generations of live chunks: while nothing runs, nothing begins, and the right one opens."""
    with services.system.session(identity) as session:
        lock_store(session, store, exclusive=True)
        if running_in(session, store):
            return Freed()
        gone = [each for each in outdated if vault.is_intact(each.id, each.current)]
        for each in gone:
            vault.delete_chunk(each.id, each.generation)
    return Freed(len(gone), sum(each.size for each in gone))


def _set_right(services: Services, identity: str, store: str, survey: Survey) -> None:
    if not survey.misnoted:
        return
    with services.system.session(identity) as session:
        lock_store(session, store, exclusive=True)
        if running_in(session, store):
            return
        for each in survey.misnoted:
            _note(session, store, each)


def _note(session: Session, store: str, chunk: Misnoted) -> None:
    values = {"store": store, "id": chunk.id, "generation": chunk.generation, "size": chunk.size}
    session.connection().execute(text(_NOTE), values)


def _drop_manifest(services: Services, identity: str, store: str, vault: Vault, backup_id: str) -> None:
    """Delete the manifest of what was given up; whoever tries again cannot begin meanwhile."""
    with services.system.session(identity) as session:
        lock_store(session, store, exclusive=True)
        if states_in(session, store).get(backup_id) in _GIVEN_UP:
            vault.delete_manifest(backup_id)


def _told(error: RxbackupError) -> str:
    return f"{error.message} {error.hint}".strip()
