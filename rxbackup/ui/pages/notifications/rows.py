"""What travels to the browser about channels and messages: flat values, made from what operations return."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rxbackup.operations.views.channels import ChannelView, MessageView
from rxbackup.ui import wording
from rxbackup.ui.pages.notifications.happenings import heard

MESSAGES_PER_PAGE = 10

_KINDS = {"email": "E-mail", "webhook": "Web hook", "apprise": "Service", "heartbeat": "Heartbeat"}


@dataclass(frozen=True)
class ChannelCard:
    """One channel. `state` is works, failing, new or paused; times are ISO."""

    name: str
    kind: str
    kind_words: str
    where: str
    hears: str
    state: str
    last_sent_at: str
    problem: str
    hint: str
    waiting: int


@dataclass(frozen=True)
class MessageLine:
    """One message. `next_at` is ISO.

    Attributes:
        state: sent, waiting, resting (it waits, and its channel is paused), given up, or failed (a test).
        tries: how often it was tried, "" where that goes without saying.
    """

    id: str
    subject: str
    channel: str
    at: str
    state: str
    tries: str
    next_at: str
    problem: str


def channel_card(view: ChannelView) -> ChannelCard:
    """A channel as its card."""
    state = "paused" if not view.active else "failing" if view.problem else "works" if view.last_sent_at else "new"
    return ChannelCard(
        name=view.name,
        kind=view.kind,
        kind_words=_KINDS.get(view.kind, view.kind),
        where=view.where,
        hears=heard(view.events),
        state=state,
        last_sent_at=wording.iso(view.last_sent_at),
        problem=view.problem,
        hint=view.problem_hint,
        waiting=view.waiting,
    )


def message_line(view: MessageView, resting: Collection[str]) -> MessageLine:
    """A message in a line; `resting` are the channels that are paused."""
    waits, rests = view.state == "waiting", view.channel in resting
    failed = view.event == "test" and view.state == "given up"
    return MessageLine(
        id=view.id,
        subject=view.subject.rpartition(" · ")[0] or view.subject,
        channel=view.channel,
        at=wording.iso(view.created_at),
        state="resting" if waits and rests else "failed" if failed else view.state,
        tries=wording.plural(view.attempts, "try", "tries") if view.attempts > 1 or view.problem else "",
        next_at=wording.iso(view.next_try_at) if waits and not rests else "",
        problem=view.problem,
    )


def nobody_hears(views: Sequence[ChannelView]) -> bool:
    """Whether there are channels, and yet a failure would be told to nobody; a heartbeat falls silent, and so tells."""
    return bool(views) and not any(v.active and (v.kind == "heartbeat" or "failure" in v.events) for v in views)


def handed_over(view: ChannelView) -> str:
    """What came of a test that worked."""
    match view.kind:
        case "email":
            return f"The mail server took it for {', '.join(view.to)}. If it is not there soon, look among the spam."
        case "heartbeat":
            return f"{view.where} was called, and answered."
        case _:
            return f"{view.where} took it."
