"""Making a place a store of this installation: tried first, then joined to the others' vault, then written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.errors import Refused, RxbackupError, StoreMissing, StoreNotWritable, UsageError
from rxbackup.operations._stores.new_store import CheckedStore, refuse_taken
from rxbackup.operations.services import Services
from rxbackup.operations.views import ProbeCheck, ProbeView
from rxbackup.stores.base import StoreRecipe
from rxbackup.stores.opening import open_store
from rxbackup.stores.probing import ProbeCheck as SeenCheck
from rxbackup.stores.probing import ProbeReport, probe_store
from rxbackup.tables.identity import own_identity, take_turns_at_first_vaults
from rxbackup.tables.system import Backup, BackupCopy, Store
from rxbackup.vault.credentials import open_recipe, seal_credentials
from rxbackup.vault.keyring import load_keyring
from rxbackup.vault.ownership import claim, refuse_other_owner, take_over
from rxbackup.vault.vault import Vault

OnCheck = Callable[[ProbeCheck], None]


def add(
    services: Services,
    actor: Actor,
    checked: CheckedStore,
    *,
    taking_over: bool,
    on_check: OnCheck = lambda _: None,
) -> int:
    """Probe a place, make or join its vault, and write the store down; how many backups it holds that are unknown.

    Args:
        services: the installation.
        actor: who adds it.
        checked: what was asked for.
        taking_over: it must hold a vault already, whoever kept its catalogue until now.
        on_check: told of each check of the place as soon as it was made, from another thread.

    Raises:
        Refused: the place or the name is taken, or another installation keeps its catalogue. Nothing was saved.
        StoreTrouble: the probe failed. Nothing was saved.
        KeyTrouble: it holds a vault that another key opens. Nothing was saved.
    """
    keyring = load_keyring(services.settings)
    with services.system.session(actor.identity) as session:
        refuse_taken(session, checked)
    with made_place(checked):
        report = probe_store(open_store(checked.recipe(), patient=False), clock=services.clock, on_check=told(on_check))
        if report.trouble is not None:
            raise _not_saved(report.trouble)
        store = open_store(checked.recipe())
        with services.system.session(actor.identity) as session:
            take_turns_at_first_vaults(session)
            refuse_taken(session, checked)
            own = own_identity(session)
            if taking_over:
                vault = Vault.open(store, keyring)
                take_over(store, own, checked.name)
            else:
                _refuse_own_twice(session, checked, own)
                vault = Vault.open_or_create(store, keyring, like=_other_vault(services, session))
                claim(store, own, checked.name)
            session.add(
                Store(
                    name=checked.name,
                    kind=checked.kind,
                    settings=checked.settings,
                    secrets=seal_credentials(checked.secrets, keyring, installation=own, store=checked.name),
                    vault_id=UUID(vault.id),
                    created_by=actor.email,
                    probe=_kept(report),
                    probed_at=services.clock(),
                )
            )
            audit.append(
                session,
                actor=actor.email,
                action="store.added",
                object_type="store",
                object_id=checked.name,
                details={"kind": checked.kind, **checked.settings, "door": actor.door},
            )
            unknown = unknown_backups(session, checked.name, vault)
        vault.close()
    return len(unknown)


def adopt(services: Services, row: Store) -> None:
    """Keep the catalogue of a store from now on, whoever did before.

    Raises:
        VaultMarkerMissing: it holds no vault.
        KeyTrouble: another key opens it.
    """
    store = open_store(recipe_of(services, row))
    Vault.open(store, load_keyring(services.settings))
    with services.system.session("system") as session:
        own = own_identity(session)
    take_over(store, own, row.name)
    store.close()


def unknown_backups(session: Session, store: str, vault: Vault) -> list[str]:
    """Ids of the backups that lie in a vault, but of which the catalogue does not know that they do."""
    known = {str(i) for i in session.exec(select(Backup.id).where(col(Backup.store) == store))}
    known |= {str(i) for i in session.exec(select(BackupCopy.backup_id).where(col(BackupCopy.store) == store))}
    return [backup_id for backup_id in vault.manifest_ids() if backup_id not in known]


def told(on_check: OnCheck) -> Callable[[SeenCheck], None]:
    """Hand on a probe's checks as values of ours."""
    return lambda seen: on_check(ProbeCheck(seen.name, seen.ok, seen.detail, seen.seconds))


def probe_known(services: Services, row: Store, *, on_check: OnCheck = lambda _: None) -> ProbeView:
    """Probe a store that is known; also look that its vault is still the one it was."""
    try:
        recipe = recipe_of(services, row)
        store = open_store(recipe, patient=False)
    except RxbackupError as error:
        return ProbeView(ok=False, checks=(_failed("reach", error),), seconds=0.0)
    if row.vault_id is None and row.kind == "local":
        # Nothing rests there yet: the first backup would make the folder just as well.
        with suppress(RxbackupError):
            _make_folder(Path(str(row.settings["path"])))
    view = probe_view(probe_store(store, clock=services.clock, on_check=told(on_check)))
    if not view.ok or row.vault_id is None:
        return view
    try:
        vault = services.open_vault(row.name)
        # Asked of the place itself: an open vault may remember what is gone.
        with services.system.session("system") as session:
            refuse_other_owner(vault.store, own_identity(session))
        if vault.marker_for_archive():
            check = ProbeCheck("vault", ok=True, detail=f"It holds the vault {vault.id}.", seconds=0.0)
    except RxbackupError as error:
        check = _failed("vault", error)
    return ProbeView(view.ok and check.ok, (*view.checks, check), view.seconds)


def probe_view(report: ProbeReport) -> ProbeView:
    """What a probe found, for doors."""
    checks = tuple(ProbeCheck(c.name, c.ok, c.detail, round(c.seconds, 3)) for c in report.checks)
    return ProbeView(report.ok, checks, round(report.seconds, 3))


def kept_probe(view: ProbeView) -> dict[str, Any]:
    """What the catalogue remembers of a probe."""
    return {"ok": view.ok, "problem": view.problem[:1000]}


def recipe_of(services: Services, row: Store) -> StoreRecipe:
    """How to open a store that is known. Raises `KeyTrouble` where its credentials cannot be opened."""
    if row.secrets is None:
        return StoreRecipe(row.kind, {k: str(v) for k, v in row.settings.items()}, system_url=services.system_url)
    with services.system.session("system") as session:
        own = own_identity(session)
    return open_recipe(
        row.kind,
        row.settings,
        row.secrets,
        store=row.name,
        keyring=load_keyring(services.settings),
        installation=own,
        system_url=services.system_url,
    )


@contextmanager
def made_place(checked: CheckedStore, *, keep: bool = True) -> Iterator[None]:
    """The folder of a local store exists meanwhile. If it was made here, it goes again on failure, or unless `keep`."""
    path = Path(checked.settings["path"]) if checked.kind == "local" else None
    made = path if path is not None and _make_folder(path) else None
    try:
        yield
    except BaseException:
        keep = False
        raise
    finally:
        if made is not None and not keep:
            with suppress(OSError):
                made.rmdir()


def _make_folder(path: Path) -> bool:
    try:
        if not path.parent.is_dir():
            raise StoreMissing(f"There is no folder {path.parent}.", hint="Make it, or mount the disk that holds it.")
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not path.is_dir():
            raise UsageError(f"{path} is no folder.", hint="Choose another path.") from None
        return False
    except OSError as error:
        raise StoreNotWritable(f"The folder {path} cannot be made: {error.strerror}.") from error
    return True


def _other_vault(services: Services, session: Session) -> Vault | None:
    name = session.exec(
        select(Store.name).where(col(Store.vault_id).is_not(None)).order_by(col(Store.created_at)).limit(1)
    ).first()
    return services.open_vault(name) if name else None


def _refuse_own_twice(session: Session, checked: CheckedStore, own: UUID) -> None:
    # The same folder under another path, the same bucket under another address: one place must be one store.
    owner = refuse_other_owner(open_store(checked.recipe()), own)
    if owner is not None and owner.store and session.get(Store, owner.store) is not None:
        raise Refused(f"This place is the store {owner.store} already.", hint="Use it under that name.")


def _not_saved(trouble: RxbackupError) -> RxbackupError:
    return type(trouble)(f"The store was not saved. {trouble.message}", hint=trouble.hint)


def _kept(report: ProbeReport) -> dict[str, Any]:
    return kept_probe(probe_view(report))


def _failed(name: str, error: RxbackupError) -> ProbeCheck:
    return ProbeCheck(name, ok=False, detail=f"{error.message} {error.hint}", seconds=0.0)
