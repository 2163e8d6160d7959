"""What travels to the browser about stores: flat values, made from what operations return."""

from __future__ import annotations

from dataclasses import dataclass

from rxbackup.operations.views import ProbeCheck, PruneView, StoreView
from rxbackup.ui import wording

_KINDS = {"database": "Database", "local": "Folder", "s3": "S3 bucket"}

_CHECKS = {
    "reach": "Answers",
    "write": "Write",
    "read": "Read back",
    "stat": "Sizes",
    "list": "List",
    "overwrite": "Replace",
    "conditional": "First writer wins",
    "clock": "Clock",
    "connections": "Several at once",
    "delete": "Delete",
}


@dataclass(frozen=True)
class StoreCard:
    """One store. `free_bytes` and `capacity_bytes` are -1 where nobody knows; `full` is in percent, -1 likewise."""

    name: str
    kind: str
    kind_words: str
    where: str
    same_server: bool
    note: str
    backups: int
    stored_bytes: int
    waiting_bytes: int
    free_bytes: int
    capacity_bytes: int
    full: int
    state: str
    probed_at: str
    problem: str
    is_default: bool
    removable: bool


@dataclass(frozen=True)
class CheckLine:
    """One thing that was tried on a store."""

    name: str
    ok: bool
    detail: str
    took: str


@dataclass(frozen=True)
class Freeing:
    """What freeing space in one store would do."""

    bytes: int = 0
    parts: str = ""
    waiting_bytes: int = 0
    waiting_for: str = ""
    orphan_bytes: int = 0
    orphans: str = ""
    unknown: int = 0
    refused: str = ""


def store_card(view: StoreView) -> StoreCard:
    """A store as its card."""
    free, capacity = view.free_bytes, view.capacity_bytes
    return StoreCard(
        name=view.name,
        kind=view.kind,
        kind_words=_KINDS.get(view.kind, view.kind),
        where=view.where,
        same_server=view.same_server,
        note=view.note,
        backups=view.backups,
        stored_bytes=view.stored_bytes,
        waiting_bytes=view.waiting_bytes,
        free_bytes=-1 if free is None else free,
        capacity_bytes=-1 if capacity is None else capacity,
        full=-1 if free is None or not capacity else round(100 - 100 * free / capacity),
        state=view.state,
        probed_at=wording.iso(view.probed_at),
        problem=view.problem,
        is_default=view.is_default,
        removable=view.removable,
    )


def check_line(check: ProbeCheck) -> CheckLine:
    """A check in words."""
    name = _CHECKS.get(check.name, check.name[:1].upper() + check.name[1:])
    return CheckLine(name, check.ok, check.detail, wording.span(check.seconds) if check.seconds >= 1 else "")


def freeing(view: PruneView) -> Freeing:
    """A preview in words."""
    return Freeing(
        bytes=view.unneeded_bytes + view.orphan_bytes,
        parts=wording.plural(view.unneeded_chunks, "part"),
        waiting_bytes=view.waiting_bytes,
        waiting_for=wording.listed(view.waiting_for) if view.waiting_for else "",
        orphan_bytes=view.orphan_bytes,
        orphans=wording.plural(view.orphan_objects, "file") if view.orphan_objects else "",
        unknown=view.unknown_backups,
        refused=view.refused,
    )
