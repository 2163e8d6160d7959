"""`/api/v1/stores` and the copies of backups: where backups rest. Credentials go in and never come out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from rxbackup.api.identity import OpenServices, Who
from rxbackup.api.problems import PROBLEMS
from rxbackup.operations import copies, stores
from rxbackup.operations.views import CopyView, JobView, NewStore, ProbeView, StoreView

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)

StoreName = Annotated[str, Path(max_length=63)]
BackupId = Annotated[str, Path(max_length=255, description="The id, the beginning of it, or the exact name")]
_Text = Annotated[str, Field(max_length=1024)]
_Secret = Annotated[SecretStr, Field(max_length=4096)]


class WantedStore(BaseModel):
    """A place for backups: a folder of the server (`local`) or a bucket (`s3`)."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=63)]
    kind: Literal["local", "s3"]
    path: _Text = ""
    bucket: _Text = ""
    prefix: _Text = ""
    region: _Text = ""
    endpoint: _Text = ""
    style: Literal["auto", "path", "virtual"] = "auto"
    allow_http: bool = False
    access_key: _Secret | None = None
    secret_key: _Secret | None = None
    session_token: _Secret | None = None

    def as_new(self) -> NewStore:
        """The same for the operations."""
        return NewStore(**{name: getattr(self, name) for name in type(self).model_fields})


class WantedCopy(BaseModel):
    """Where to copy a backup to."""

    model_config = ConfigDict(extra="forbid")

    store: Annotated[str, Field(max_length=63)]


@router.get("/stores", tags=["stores"])
def list_stores(services: OpenServices, actor: Who) -> tuple[StoreView, ...]:
    """Every store, with what rests there."""
    return stores.list_stores(services, actor)


@router.post("/stores", status_code=201, tags=["stores"])
def add_store(services: OpenServices, actor: Who, wanted: Annotated[WantedStore, Body()]) -> StoreView:
    """Add a store. It is tried first; nothing is saved if that fails."""
    return stores.add_store(services, actor, wanted.as_new())


@router.post("/stores/probe", tags=["stores"])
def probe_new_store(services: OpenServices, actor: Who, wanted: Annotated[WantedStore, Body()]) -> ProbeView:
    """Try a place without adding it."""
    return stores.probe_new_store(services, actor, wanted.as_new())


@router.post("/stores/{name}/test", tags=["stores"])
def probe_store(services: OpenServices, actor: Who, name: StoreName) -> ProbeView:
    """Try everything that a store must do."""
    return stores.probe_store(services, actor, name)


@router.post("/stores/{name}/rebuild", status_code=202, tags=["stores"])
def rebuild_store(services: OpenServices, actor: Who, name: StoreName, response: Response) -> JobView:
    """Queue a rebuild of the catalogue from a store. Follow it at the address in `Location`."""
    return _followed(stores.request_rebuild(services, actor, name), response)


@router.delete("/stores/{name}", tags=["stores"])
def remove_store(services: OpenServices, actor: Who, name: StoreName) -> StoreView:
    """Forget a store. Nothing that lies there is deleted."""
    return stores.remove_store(services, actor, name)


@router.get("/backups/{backup}/copies", tags=["backups"])
def list_copies(services: OpenServices, actor: Who, backup: BackupId) -> tuple[CopyView, ...]:
    """The copies of a backup."""
    return copies.list_copies(services, actor, backup)


@router.post("/backups/{backup}/copies", status_code=202, tags=["backups"])
def copy_backup(
    services: OpenServices, actor: Who, backup: BackupId, response: Response, wanted: Annotated[WantedCopy, Body()]
) -> JobView:
    """Queue a copy to another store. Follow it at the address in `Location`."""
    return _followed(copies.request_copy(services, actor, backup, wanted.store), response)


@router.delete("/backups/{backup}/copies/{name}", tags=["backups"])
def delete_copy(services: OpenServices, actor: Who, backup: BackupId, name: StoreName) -> CopyView:
    """Delete the copy of a backup in one store."""
    return copies.delete_copy(services, actor, backup, name)


def _followed(job: JobView, response: Response) -> JobView:
    response.headers["location"] = f"/api/v1/jobs/{job.id}"
    return job
