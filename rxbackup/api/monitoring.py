"""`/api/v1`: channels, alerts, freshness and history. Secrets of channels go in and never come out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from rxbackup.api.identity import OpenServices, Who
from rxbackup.api.problems import PROBLEMS
from rxbackup.operations import alerts, channels, freshness, measures
from rxbackup.operations.views.alerts import AlertView, FreshnessView
from rxbackup.operations.views.channels import ChannelChange, ChannelView, EventView, MessageView, NewChannel
from rxbackup.operations.views.measures import History

router = APIRouter(prefix="/api/v1", responses=PROBLEMS, tags=["monitoring"])

ChannelName = Annotated[str, Path(max_length=63)]
AlertId = Annotated[str, Path(max_length=64, description="The id, or the beginning of it")]
_Text = Annotated[str, Field(max_length=255)]
_Secret = Annotated[SecretStr, Field(max_length=4096)]
_Events = Annotated[list[Annotated[str, Field(max_length=63)]], Field(max_length=32)]


class WantedChannel(BaseModel):
    """A way to tell people; without `events` the usual ones."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(max_length=63)]
    kind: Literal["email", "webhook", "apprise", "heartbeat"]
    events: _Events | None = None
    to: Annotated[list[_Text], Field(max_length=50)] = []
    sender: _Text = ""
    host: _Text = ""
    port: int | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: _Text = ""
    password: _Secret | None = None
    url: _Secret | None = None
    signing_key: _Secret | None = None

    def as_new(self) -> NewChannel:
        """The same for the operations."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        events = None if self.events is None else tuple(self.events)
        return NewChannel(**{**given, "events": events, "to": tuple(self.to)})


class WantedChange(BaseModel):
    """What to change of a channel; what is not given stays, and its secrets with it. An empty one is taken away."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(max_length=63)] | None = None
    events: _Events | None = None
    active: bool | None = None
    to: Annotated[list[_Text], Field(max_length=50)] | None = None
    sender: _Text | None = None
    host: _Text | None = None
    port: int | None = None
    security: Literal["starttls", "tls", "none"] | None = None
    username: _Text | None = None
    password: _Secret | None = None
    url: _Secret | None = None
    signing_key: _Secret | None = None

    def as_change(self) -> ChannelChange:
        """The same for the operations."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        lists = {name: None if given[name] is None else tuple(given[name]) for name in ("events", "to")}
        return ChannelChange(**{**given, **lists})


@router.get("/events")
def list_events(services: OpenServices, actor: Who) -> tuple[EventView, ...]:
    """What can be told."""
    return channels.list_events(services, actor)


@router.get("/channels")
def list_channels(services: OpenServices, actor: Who) -> tuple[ChannelView, ...]:
    """Every channel, with what it hears of and how it fares."""
    return channels.list_channels(services, actor)


@router.post("/channels", status_code=201)
def add_channel(services: OpenServices, actor: Who, wanted: Annotated[WantedChannel, Body()]) -> ChannelView:
    """Add a channel."""
    return channels.add_channel(services, actor, wanted.as_new())


@router.patch("/channels/{name}")
def change_channel(
    services: OpenServices, actor: Who, name: ChannelName, change: Annotated[WantedChange, Body()]
) -> ChannelView:
    """Change what a channel hears of, what it is called or where it goes, or let it rest."""
    return channels.change_channel(services, actor, name, change.as_change())


@router.post("/channels/{name}/test")
def try_channel(services: OpenServices, actor: Who, name: ChannelName) -> ChannelView:
    """Send something there now; answers once it was taken or refused."""
    return channels.try_channel(services, actor, name)


@router.delete("/channels/{name}")
def remove_channel(services: OpenServices, actor: Who, name: ChannelName) -> ChannelView:
    """Remove a channel and what still waits for it."""
    return channels.remove_channel(services, actor, name)


@router.get("/messages")
def list_messages(
    services: OpenServices, actor: Who, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> tuple[MessageView, ...]:
    """The latest messages, newest first."""
    return channels.recent_messages(services, actor, limit=limit)


@router.get("/alerts")
def list_alerts(
    services: OpenServices,
    actor: Who,
    *,
    solved: Annotated[bool, Query(description="Also what is over")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> tuple[AlertView, ...]:
    """What wants a person, the newest first."""
    return alerts.list_alerts(services, actor, solved=solved, limit=limit)


@router.post("/alerts/{alert}/expect")
def expect_alert(services: OpenServices, actor: Who, alert: AlertId) -> AlertView:
    """Say that it was expected or is dealt with: the alert is over, and what it held back goes on."""
    return alerts.expect_alert(services, actor, alert)


@router.get("/freshness")
def show_freshness(services: OpenServices, actor: Who) -> tuple[FreshnessView, ...]:
    """How fresh the backups are: all together first, then each schedule."""
    return freshness.show_freshness(services, actor)


@router.get("/history")
def show_history(services: OpenServices, actor: Who, days: Annotated[int, Query(ge=1, le=3660)] = 90) -> History:
    """What became of backups day by day, and what the stores held."""
    return measures.show_history(services, actor, days=days)
