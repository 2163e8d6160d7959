"""`/api/v1`: rows inside backups, and what differs between two moments."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from rxbackup.api.downloads import attachment
from rxbackup.api.identity import OpenServices, Who
from rxbackup.api.problems import PROBLEMS
from rxbackup.operations import comparisons, rows
from rxbackup.operations.views import ComparisonView, JobView, KeptTableView, RowComparisons, RowsView

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

BackupId = Annotated[str, Path(max_length=255, description="The id, the beginning of it, or the exact name")]
_Condition = Annotated[str, Field(max_length=10_000)]
_ENOUGH_BYTES = 256 * 1024 * 1024


class Selection(BaseModel):
    """Which rows: all conditions have to fit (COLUMN=VALUE, COLUMN~TEXT, COLUMN is null)."""

    model_config = ConfigDict(extra="forbid")

    table: Annotated[str, Field(max_length=255)]
    where: Annotated[list[_Condition], Field(max_length=20)] = []


class RowQuery(Selection):
    """A page of them; `after` is the `next` of the page before, which may come before anything was found."""

    after: Annotated[str, Field(max_length=100)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 50


class FileQuery(Selection):
    """All of them, as a file."""

    format: Literal["csv", "json"] = "csv"


class WantedComparison(BaseModel):
    """A backup, and another one or `now`: the live database."""

    model_config = ConfigDict(extra="forbid")

    before: Annotated[str, Field(max_length=255)]
    after: Annotated[str, Field(max_length=255)] = comparisons.NOW


class DifferenceQuery(BaseModel):
    """Rows of one table that differ."""

    model_config = ConfigDict(extra="forbid")

    before: Annotated[str, Field(max_length=255)]
    after: Annotated[str, Field(max_length=255)] = comparisons.NOW
    table: Annotated[str, Field(max_length=255)]
    change: Literal["added", "changed", "removed"] | None = None
    skip: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 50


@router.get("/backups/{backup}/tables", tags=["rows"])
def list_tables(
    services: OpenServices,
    actor: Who,
    backup: BackupId,
    text: Annotated[str, Query(max_length=255)] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> tuple[KeptTableView, ...]:
    """The tables of a backup whose name or group holds a text."""
    return rows.list_tables(services, actor, backup, text=text, limit=limit)


@router.get("/backups/{backup}/rows", tags=["rows"])
def read_rows(services: OpenServices, actor: Who, backup: BackupId, query: Annotated[RowQuery, Query()]) -> RowsView:
    """Some rows of a table in a backup. Nothing is restored for it."""
    return rows.read_rows(
        services,
        actor,
        backup,
        query.table,
        where=query.where,
        after=query.after,
        limit=query.limit,
        most_bytes=_ENOUGH_BYTES,
    )


@router.get("/backups/{backup}/rows/file", tags=["rows"], response_class=StreamingResponse)
def download_rows(
    services: OpenServices, actor: Who, backup: BackupId, query: Annotated[FileQuery, Query()]
) -> StreamingResponse:
    """All rows of a table that fit, as CSV or JSON."""
    found = rows.open_rows(services, actor, backup, query.table, where=query.where, format_name=query.format)
    return StreamingResponse(
        found.content,
        media_type=found.media_type,
        headers={
            "content-disposition": attachment(found.file_name),
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )


@router.post("/comparisons", status_code=202, tags=["rows"])
def compare(
    services: OpenServices, actor: Who, response: Response, wanted: Annotated[WantedComparison, Body()]
) -> JobView:
    """Queue a comparison. Follow it at the address in `Location`; then ask for it by the run's id."""
    job = comparisons.request_compare(services, actor, wanted.before, wanted.after)
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    return job


@router.get("/comparisons/rows", tags=["rows"])
def compare_rows(services: OpenServices, actor: Who, query: Annotated[DifferenceQuery, Query()]) -> RowComparisons:
    """Rows of one table that differ, with their values before and after."""
    return comparisons.compare_rows(
        services,
        actor,
        query.before,
        query.after,
        query.table,
        change=query.change,
        skip=query.skip,
        limit=query.limit,
    )


@router.get("/comparisons/{job}", tags=["rows"])
def show_comparison(services: OpenServices, actor: Who, job: Annotated[str, Path(max_length=64)]) -> ComparisonView:
    """What a comparison found, in numbers."""
    return comparisons.show_comparison(services, actor, job)
