"""`/api/v1`: what programs may ask. Long work is queued here and done by a worker, never in a request."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from rxbackup.api.identity import OpenServices, Who
from rxbackup.api.problems import PROBLEMS
from rxbackup.operations import backups, jobs
from rxbackup.operations.views import BackupDetail, BackupPage, BackupQuery, JobView, NewBackup

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

BackupId = Annotated[str, Path(max_length=255, description="The id, the beginning of it, or the exact name")]
JobId = Annotated[str, Path(max_length=64)]


class BackupQueryFields(BaseModel):
    """Which backups, in which order."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=255)] = ""
    state: Literal["running", "complete", "failed", "interrupted", "deleting"] | None = None
    store: Annotated[str, Field(max_length=63)] | None = None
    schedule_id: UUID | None = None
    trash: bool = False
    sort: Literal["when", "name", "rows", "size", "state", "by"] = "when"
    descending: bool = True
    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    per_page: Annotated[int, Field(ge=1, le=200)] = 50


class WantedBackup(BaseModel):
    """What to back up; without `groups` everything."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=255)] | None = None
    description: Annotated[str, Field(max_length=10_000)] = ""
    groups: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = None
    store: Annotated[str, Field(max_length=63)] = "database"
    copies: Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=16)] = []
    full: bool = False


@router.get("/backups", tags=["backups"])
def list_backups(services: OpenServices, actor: Who, query: Annotated[BackupQueryFields, Query()]) -> BackupPage:
    """One page of backups."""
    wanted = query.model_dump()
    wanted["schedule_id"] = str(query.schedule_id) if query.schedule_id else None
    return backups.list_backups(services, actor, BackupQuery(**wanted))


@router.post("/backups", status_code=202, tags=["backups"])
def create_backup(
    services: OpenServices, actor: Who, response: Response, wanted: Annotated[WantedBackup, Body()]
) -> JobView:
    """Queue a backup. Follow it at the address in `Location`."""
    new = NewBackup(
        name=wanted.name or backups.default_name(services.clock()),
        description=wanted.description,
        groups=tuple(wanted.groups) if wanted.groups is not None else None,
        store=wanted.store,
        full=wanted.full,
        copies=tuple(wanted.copies),
    )
    job = backups.request_backup(services, actor, new)
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    return job


@router.get("/backups/{backup}", tags=["backups"])
def show_backup(services: OpenServices, actor: Who, backup: BackupId) -> BackupDetail:
    """Everything about one backup."""
    return backups.show_backup(services, actor, backup)


@router.get("/jobs", tags=["jobs"])
def list_jobs(
    services: OpenServices, actor: Who, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> tuple[JobView, ...]:
    """The latest runs, newest first."""
    return jobs.recent_jobs(services, actor, limit=limit)


@router.get("/jobs/{job}", tags=["jobs"])
def show_job(services: OpenServices, actor: Who, job: JobId) -> JobView:
    """One run and how far it is."""
    return jobs.show_job(services, actor, job)


@router.post("/jobs/{job}/cancel", tags=["jobs"])
def cancel_job(services: OpenServices, actor: Who, job: JobId) -> JobView:
    """Ask a run to stop."""
    return jobs.cancel_job(services, actor, job)
