"""Look what a store holds that nobody needs, and what it lacks. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import text
from sqlmodel import Session

from rxbackup.errors import Corrupt, Refused
from rxbackup.operations._stores.collecting import Unneeded, count_unneeded, running_in
from rxbackup.operations.services import Services
from rxbackup.operations.views.prunes import PruneView
from rxbackup.operations.wording import counted
from rxbackup.prune.comparing import ChunkObject, ChunkRow, Misnoted, Missing, Orphan, Outdated, compare
from rxbackup.prune.manifests import ManifestFindings, judge_manifests
from rxbackup.tables.identity import own_identity
from rxbackup.vault.ownership import refuse_other_owner
from rxbackup.vault.vault import Vault

_PAGE = 5000
_MOST_NAMES = 20

_STATES = """
SELECT id::text, state FROM rxbackup.backups WHERE store = :store
UNION ALL SELECT backup_id::text, state FROM rxbackup.copies WHERE store = :store
"""
_ROWS = """
SELECT encode(id, 'hex'), generation, stored_bytes, state = 'live' FROM rxbackup.chunks
WHERE store = :store AND id > decode(:after, 'hex') ORDER BY id LIMIT :page
"""
_WHO_NEEDS = """
SELECT DISTINCT b.name FROM rxbackup.backup_chunks AS u JOIN rxbackup.backups AS b ON b.id = u.backup_id
WHERE u.store = :store AND u.chunk_id IN (SELECT decode(m.id, 'hex') FROM unnest(CAST(:ids AS text[])) AS m(id))
ORDER BY b.name
"""
_NAMES = "SELECT name FROM rxbackup.backups WHERE id = ANY (CAST(:ids AS uuid[])) ORDER BY name"


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is.

    Attributes:
        left_over: ids of manifests that nobody will read.
        orphans, outdated: objects that may go; empty while something runs in the store.
        misnoted: chunks that are intact, but otherwise than their rows say.
        damage: what is missing, in words.
    """

    running: dict[str, str]
    unneeded: Unneeded
    left_over: tuple[str, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    outdated: tuple[Outdated, ...] = ()
    misnoted: tuple[Misnoted, ...] = ()
    damage: tuple[str, ...] = ()

    def view(self, store: str, *, grace_minutes: int) -> PruneView:
        """The same for people; what is retired now waits where something runs."""
        live, free, waiting = self.unneeded.live, self.unneeded.free, self.unneeded.waiting
        if self.running or grace_minutes:
            waiting = (waiting[0] + live[0], waiting[1] + live[1])
        else:
            free = (free[0] + live[0], free[1] + live[1])
        return PruneView(
            store=store,
            unneeded_chunks=free[0],
            unneeded_bytes=free[1],
            waiting_chunks=waiting[0],
            waiting_bytes=waiting[1],
            waiting_for=tuple(sorted(self.running.values())) if waiting[0] else (),
            orphan_objects=sum(each.objects for each in self.orphans) + len(self.outdated),
            orphan_bytes=sum(each.size for each in self.orphans) + sum(each.size for each in self.outdated),
            damage=self.damage,
        )


def check_store(services: Services, identity: str, store: str, vault: Vault) -> ManifestFindings:
    """Make sure that the store is ours, and compare its manifests with the catalogue.

    Raises:
        VaultMarkerMissing, Refused, Corrupt: it is not there, or another installation's.
    """
    vault.check_marker()
    with services.system.session(identity) as session:
        refuse_other_owner(vault.store, own_identity(session))
    listed = vault.manifest_ids()
    with services.system.session(identity) as session:
        found = judge_manifests(listed, states_in(session, store))
    # What was deleted while we looked is neither here nor there.
    return replace(found, unknown=tuple(each for each in found.unknown if vault.holds_manifest(each)))


def refuse_unknown(store: str, found: ManifestFindings) -> None:
    """Raise `Refused` if the catalogue does not know every backup in the store: who can say which chunks it needs?"""
    if found.unknown:
        raise Refused(
            f"The store {store} holds {counted(len(found.unknown), 'backup')} that the catalogue does not know. "
            "Nothing is deleted there.",
            hint=f"`rxbackup store rebuild {store}` brings them back.",
        )


def states_in(session: Session, store: str) -> dict[str, str]:
    """Of every backup that rests in a store, or should: id → the state of the backup or of its copy."""
    return {row[0]: row[1] for row in session.connection().execute(text(_STATES), {"store": store})}


def survey_quickly(services: Services, identity: str, store: str) -> Survey:
    """Ask the catalogue only."""
    with services.system.session(identity) as session:
        return Survey(running_in(session, store), count_unneeded(session, services, store))


def survey_store(services: Services, identity: str, store: str, vault: Vault, manifests: ManifestFindings) -> Survey:
    """Compare all objects of a store with the catalogue."""
    before = survey_quickly(services, identity, store)
    orphans: list[Orphan] = []
    outdated: list[Outdated] = []
    misnoted: list[Misnoted] = []
    missing: list[str] = []
    objects = (ChunkObject(chunk, generation, found.size) for chunk, generation, found in vault.chunk_objects())
    for finding in compare(objects, _rows(services, identity, store)):
        match finding:
            case Orphan():
                orphans.append(finding)
            case Outdated():
                outdated.append(finding)
            case Misnoted() if vault.is_intact(finding.id, finding.generation):
                misnoted.append(finding)
            case Misnoted() | Missing():
                missing.append(finding.id)
    after = survey_quickly(services, identity, store)
    is_quiet = not before.running and not after.running
    return Survey(
        running={**before.running, **after.running},
        unneeded=after.unneeded,
        left_over=manifests.left_over,
        orphans=tuple(orphans) if is_quiet else (),
        outdated=tuple(outdated) if is_quiet else (),
        misnoted=tuple(misnoted) if is_quiet else (),
        damage=_damage(services, identity, store, vault, missing, manifests.missing),
    )


def _rows(services: Services, identity: str, store: str) -> Iterator[ChunkRow]:
    """All chunks of a store by id, a page at a time: a listing may take an hour, a transaction must not."""
    after = ""
    while True:
        with services.system.session(identity) as session:
            values = {"store": store, "after": after, "page": _PAGE}
            page = session.connection().execute(text(_ROWS), values).all()
        for chunk, generation, size, is_live in page:
            yield ChunkRow(chunk, generation, size, is_live)
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def _damage(
    services: Services, identity: str, store: str, vault: Vault, chunks: list[str], manifests: tuple[str, ...]
) -> tuple[str, ...]:
    found = []
    # What was written while the objects were listed is not missing.
    gone = [chunk for chunk in chunks if not _opens(vault, chunk)]
    lost = [each for each in manifests if not vault.holds_manifest(each)]
    with services.system.session(identity) as session:
        if gone:
            rows = session.connection().execute(text(_WHO_NEEDS), {"store": store, "ids": gone})
            names = [row[0] for row in rows]
            if names:
                found.append(f"{counted(len(gone), 'chunk')} missing or damaged, needed by {_listed(names)}.")
        if lost:
            names = [row[0] for row in session.connection().execute(text(_NAMES), {"ids": lost})]
            found += [f"The manifest of {_listed(names)} is missing."] if names else []
    return tuple(found)


def _opens(vault: Vault, chunk: str) -> bool:
    try:
        vault.get_chunk(chunk)
    except Corrupt:
        return False
    return True


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
