"""Restores over HTTP: looked at, queued, undone; and rows of backups beside the tables.

A restore into another database is not offered here: its address would hold a password.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from rxbackup.api.identity import OpenServices, Who
from rxbackup.api.problems import PROBLEMS
from rxbackup.errors import Busy
from rxbackup.operations import previews, refreshes, restores, side_schemas, undos
from rxbackup.operations.views import JobView, NewRestore, NewSideSchema, RestorePreview, SideSchemaView, UndoView

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

BackupId = Annotated[str, Path(max_length=255, description="The id, the beginning of it, or the exact name")]
JobId = Annotated[str, Path(max_length=64)]
SchemaName = Annotated[str, Path(max_length=63)]
_Name = Annotated[str, Field(max_length=255)]


class ChosenRows(BaseModel):
    """Which tables of a backup; without anything all."""

    model_config = ConfigDict(extra="forbid")

    groups: Annotated[list[_Name], Field(min_length=1, max_length=1000)] | None = None
    skip: Annotated[list[_Name], Field(max_length=1000)] = []
    tables: Annotated[list[_Name], Field(min_length=1, max_length=10_000)] | None = None
    store: Annotated[str, Field(max_length=63)] | None = None


class WantedPreview(ChosenRows):
    """What would be put back, and how."""

    mode: Literal["exact", "missing", "changed"] = "exact"
    set_aside: bool = False
    replace_own_account: bool = False
    maintenance: bool = False
    undoes: Annotated[str, Field(max_length=64)] | None = None

    def as_new(self, backup: str) -> NewRestore:
        """The same for the operations."""
        return NewRestore(
            backup,
            groups=tuple(self.groups) if self.groups is not None else None,
            skip=tuple(self.skip),
            tables=tuple(self.tables) if self.tables is not None else None,
            mode=self.mode,
            store=self.store,
            undoes=self.undoes,
            set_aside=self.set_aside,
            replace_own_account=self.replace_own_account,
            maintenance=self.maintenance,
        )


class WantedRestore(WantedPreview):
    """What to put back. `confirm_name` is the name of the backup; `preview` the run that showed what would be done."""

    confirm_name: _Name
    preview: Annotated[str, Field(max_length=64)] | None = None
    safety: bool = True
    trust_foreign: bool = False

    def as_new(self, backup: str) -> NewRestore:
        """The same for the operations."""
        return replace(
            super().as_new(backup),
            confirm_name=self.confirm_name,
            preview=self.preview,
            safety=self.safety,
            trust_foreign=self.trust_foreign,
        )


class WantedSideSchema(ChosenRows):
    """Rows to put beside the tables, read-only, for some hours."""

    name: Annotated[str, Field(max_length=63)]
    hours: Annotated[int, Field(ge=1, le=720)] = 24
    trust_foreign: bool = False


@router.post("/backups/{backup}/preview", status_code=202, tags=["restores"])
def request_preview(
    services: OpenServices, actor: Who, backup: BackupId, wanted: Annotated[WantedPreview, Body()], response: Response
) -> JobView:
    """Queue a preview in rows; nothing is changed. Follow it at the address in `Location`."""
    return _followed(previews.request_preview(services, actor, wanted.as_new(backup)), response)


@router.get("/jobs/{job}/preview", tags=["restores"])
def show_preview(services: OpenServices, actor: Who, job: JobId) -> RestorePreview:
    """What a preview's run found out; it is forgotten after a day."""
    found = previews.show_preview(services, actor, job)
    if found is None:
        raise Busy("The preview is not ready yet.", hint=f"Follow it at /api/v1/jobs/{job}.")
    return found


@router.post("/backups/{backup}/restore", status_code=202, tags=["restores"])
def request_restore(
    services: OpenServices, actor: Who, backup: BackupId, wanted: Annotated[WantedRestore, Body()], response: Response
) -> JobView:
    """Queue a restore. Follow it at the address in `Location`."""
    return _followed(restores.request_restore(services, actor, wanted.as_new(backup)), response)


@router.get("/jobs/{job}/undo", tags=["restores"])
def show_undo(services: OpenServices, actor: Who, job: JobId) -> UndoView:
    """What undoing a restore would put back, and until when that can be done."""
    return undos.show_undo(services, actor, job)


@router.post("/jobs/{job}/undo", status_code=202, tags=["restores"])
def request_undo(
    services: OpenServices,
    actor: Who,
    job: JobId,
    response: Response,
    preview: Annotated[str | None, Query(max_length=64)] = None,
) -> JobView:
    """Queue the undoing of a restore: no more than the run `preview` has shown. Follow it as `Location` says."""
    return _followed(undos.request_undo(services, actor, job, preview=preview), response)


@router.post("/jobs/{job}/refresh", status_code=202, tags=["restores"])
def request_refresh(services: OpenServices, actor: Who, job: JobId, response: Response) -> JobView:
    """Queue a refresh of the materialized views that read from the tables of a restore."""
    return _followed(refreshes.request_refresh(services, actor, job), response)


@router.post("/backups/{backup}/side-schemas", status_code=202, tags=["restores"])
def request_side_schema(
    services: OpenServices,
    actor: Who,
    backup: BackupId,
    wanted: Annotated[WantedSideSchema, Body()],
    response: Response,
) -> JobView:
    """Queue the making of a schema with rows of a backup. Follow it at the address in `Location`."""
    new = NewSideSchema(
        backup,
        wanted.name,
        groups=tuple(wanted.groups) if wanted.groups is not None else None,
        skip=tuple(wanted.skip),
        tables=tuple(wanted.tables) if wanted.tables is not None else None,
        hours=wanted.hours,
        trust_foreign=wanted.trust_foreign,
        store=wanted.store,
    )
    return _followed(side_schemas.request_side_schema(services, actor, new), response)


@router.get("/side-schemas", tags=["restores"])
def list_side_schemas(services: OpenServices, actor: Who) -> tuple[SideSchemaView, ...]:
    """The schemas that hold rows of backups."""
    return side_schemas.list_side_schemas(services, actor)


@router.delete("/side-schemas/{name}", status_code=204, tags=["restores"])
def drop_side_schema(services: OpenServices, actor: Who, name: SchemaName) -> None:
    """Drop one before its time is over."""
    side_schemas.drop_side_schema(services, actor, name)


def _followed(job: JobView, response: Response) -> JobView:
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    return job
