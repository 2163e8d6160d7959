"""`/api/v1/activity`: what happened."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rxbackup.api.identity import OpenServices, Who
from rxbackup.api.problems import PROBLEMS
from rxbackup.operations import activity
from rxbackup.operations.views.activity import ActivityPage, ActivityQuery

router = APIRouter(prefix="/api/v1", responses=PROBLEMS, tags=["monitoring"])


class ActivityQueryFields(BaseModel):
    """Which lines. `until` of one page, handed back, lets the following pages stand still while more happens."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=255)] = ""
    kind: Annotated[str, Field(max_length=63)] | None = None
    outcome: Literal["done", "failed", "stopped", "refused", "missed"] | None = None
    by: Annotated[str, Field(max_length=255)] | None = None
    until: AwareDatetime | None = None
    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    per_page: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/activity")
def list_activity(services: OpenServices, actor: Who, query: Annotated[ActivityQueryFields, Query()]) -> ActivityPage:
    """One page of what happened, newest first: runs that ended, acts of people, runs that schedules missed."""
    return activity.list_activity(services, actor, ActivityQuery(**query.model_dump()))
