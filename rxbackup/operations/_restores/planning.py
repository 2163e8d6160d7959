"""The plan of a restore for the person who asks: with her own row kept, and what she should know of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rxbackup.access.actor import Actor
from rxbackup.operations._restores.asked import chosen_tables, request_of
from rxbackup.operations._restores.lockout import lockout_warning
from rxbackup.operations._restores.own_account import own_row
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, NewRestore
from rxbackup.restore.plan import RestorePlan
from rxbackup.restore.run import prepare_restore
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault

_GLANCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, the manifest it was made from, and the vault that holds the rows.

    Attributes:
        kept_account: email of the person whose own row stays as it is; "" if none does.
        warnings: what the engine does not know of.
    """

    plan: RestorePlan
    manifest: Manifest
    vault: Vault
    kept_account: str
    warnings: tuple[str, ...]


def plan_of(
    services: Services,
    actor: Actor,
    view: BackupView,
    new: NewRestore,
    vault: Vault,
    *,
    counted: bool,
    at_a_glance: bool = False,
) -> Planned:
    """Look at the database and plan what `new` asks for, with the rows there are now if `counted`.

    `at_a_glance`: somebody looks on, who would rather hear of a locked table than wait for it as long as a run does.
    """
    manifest = vault.get_manifest(view.id)
    targets = chosen_tables(services, actor, view, new)
    kept = own_row(services, actor, new, targets, vault, manifest)
    request = request_of(new, (kept,) if kept else ())
    plan = prepare_restore(
        manifest,
        request,
        source_url=services.source_url,
        counted=counted,
        lock_timeout_seconds=min(services.settings.lock_timeout_seconds, _GLANCE_SECONDS if at_a_glance else math.inf),
    )
    lockout = None if kept else lockout_warning(services, actor, plan, vault, manifest)
    return Planned(plan, manifest, vault, kept.value if kept else "", (lockout,) if lockout else ())
