"""A restore does what its preview showed, or nothing: the ground may have moved since somebody looked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rxbackup.access.actor import Actor
from rxbackup.errors import JobNotFound, PlanRefused
from rxbackup.operations._backups.catalogue import find_job
from rxbackup.operations.services import Services
from rxbackup.operations.views import NewRestore
from rxbackup.operations.wording import counted
from rxbackup.restore.plan import RestorePlan
from rxbackup.restore.report import TableResult

_AGAIN = "Look at the preview again, then restore."
_SAME_CHOICE = ("set_aside", "replace_own_account", "undoes")

Seen = Mapping[str, Any]
"""What a preview showed, as plain values."""
Agree = Callable[[Mapping[str, TableResult]], None]


def seen_preview(services: Services, actor: Actor, backup_id: str, new: NewRestore) -> Seen | None:
    """What the preview that `new` names has shown; None if it names none.

    Raises:
        PlanRefused: it is none, was of another choice, speaks against the restore, or is forgotten.
    """
    if new.preview is None:
        return None
    try:
        with services.system.session(actor.identity) as session:
            job = find_job(session, new.preview)
            kind, parameters, result = job.kind, job.parameters or {}, job.result or {}
    except JobNotFound:
        raise PlanRefused("There is no such preview any more. Nothing was changed.", hint=_AGAIN) from None
    seen = result.get("preview") if kind == "preview" else None
    if seen is None or not seen["is_exact"]:
        raise PlanRefused("There is no preview of these rows. Nothing was changed.", hint=_AGAIN)
    chosen = [parameters.get(name) or None for name in _SAME_CHOICE]
    if parameters.get("backup_id") != backup_id or chosen != [getattr(new, name) or None for name in _SAME_CHOICE]:
        raise PlanRefused("The preview was of another choice. Nothing was changed.", hint=_AGAIN)
    return dict(seen)


def refuse_moved_ground(plan: RestorePlan, seen: Seen | None) -> None:
    """Refuse where the schema, the tables chosen or the mode are not those of the preview.

    Raises:
        PlanRefused: in words.
    """
    if seen is not None and seen["fingerprint"] != plan.fingerprint:
        raise PlanRefused(
            "The tables, or which of them are chosen, have changed since the preview. Nothing was changed.", hint=_AGAIN
        )


def agree_with(seen: Seen | None) -> Agree | None:
    """For the engine: refuses where more rows of a table would be changed or removed than the preview showed.

    Rows that would be added are no loss, whatever their number.
    """
    if seen is None:
        return None
    shown = {table["name"]: table["change"] for table in seen["tables"]}

    def agree(tables: Mapping[str, TableResult]) -> None:
        more = [
            f"{name}: {counted(now.changed, 'row')} changed and {now.removed} removed, "
            f"instead of {was['changed']} and {was['removed']}"
            for name, now in tables.items()
            if (was := shown[name]) and (now.changed > was["changed"] or now.removed > was["removed"])
        ]
        if more:
            raise PlanRefused(
                f"More rows would be changed or removed now than the preview showed ({'; '.join(more[:5])}). "
                "Nothing was changed.",
                hint=f"{_AGAIN} If the application keeps writing there, stop it meanwhile, or let newer rows be.",
            )

    return agree
