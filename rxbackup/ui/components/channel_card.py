"""One channel as a card: where it goes, what it hears of, whether messages get there."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.notices import bone
from rxbackup.ui.components.readouts import count, when, words
from rxbackup.ui.components.status_badge import badge

_ICONS = {"email": "mail", "webhook": "webhook", "heartbeat": "heart-pulse", "apprise": "message-square"}
_MESSAGES = {
    "sent": ("circle-check", "Sent", "good"),
    "waiting": ("clock", "Waiting", "warn"),
    "resting": ("pause", "Waiting", "idle"),
    "given up": ("circle-x", "Given up", "bad"),
    "failed": ("circle-x", "Failed", "bad"),
}


def channel_card(
    card: Any, *, tools: rx.Component, resume: rx.Component, findings: rx.Component, told: Any
) -> rx.Component:
    """Draw a var of `ChannelCard`.

    Args:
        card: the facts.
        tools: its buttons. resume: the button beside the word that it rests. findings: what came of a test of it.
        told: whether they say its problem already.
    """
    heading = "channel-" + card.name
    icons = [(kind, rx.icon(icon, size=20, aria_hidden="true")) for kind, icon in _ICONS.items()]
    return rx.el.article(
        rx.el.div(
            rx.el.span(rx.match(card.kind, *icons, rx.icon("bell", size=20)), class_name="rx-store-icon"),
            rx.el.div(
                rx.el.div(
                    rx.el.h2(card.name, id=heading, class_name="rx-store-name"), _state(card), class_name="rx-row"
                ),
                rx.el.p(card.kind_words, " · ", rx.el.span(card.where), class_name="rx-soft rx-wrap"),
                class_name="rx-grow",
            ),
            rx.el.div(tools, class_name="rx-store-tools"),
            class_name="rx-store-head",
        ),
        rx.cond(
            card.state == "paused",
            rx.el.div(
                rx.icon("pause", size=16, aria_hidden="true"),
                rx.el.p(
                    rx.el.span("Paused. ", class_name="rx-strong"),
                    "It hears of nothing that happens now; what waits for it stays.",
                    class_name="rx-grow",
                ),
                resume,
                class_name="rx-store-line rx-schedule-line rx-tone-idle",
            ),
            rx.fragment(),
        ),
        rx.cond(
            (card.problem != "") & ~told,
            rx.el.div(
                rx.icon("circle-alert", size=16, aria_hidden="true"),
                rx.el.div(
                    words(text=card.problem, class_name="rx-strong"),
                    rx.cond(card.hint != "", words(text=card.hint), rx.fragment()),
                ),
                class_name="rx-store-line rx-tone-bad",
            ),
            rx.fragment(),
        ),
        _facts(card),
        findings,
        key=card.name,
        class_name="rx-panel rx-store",
        custom_attrs={"aria-labelledby": heading},
    )


def _state(card: Any) -> rx.Component:
    return rx.match(
        card.state,
        ("works", badge("circle-check", "Works", "good")),
        ("failing", badge("circle-alert", "Does not get through", "bad")),
        ("paused", badge("pause", "Paused", "idle")),
        badge("circle-help", "Not tested yet", "idle"),
    )


def _facts(card: Any) -> rx.Component:
    last = rx.cond(card.last_sent_at != "", when(at=card.last_sent_at), rx.el.span("Never"))
    waiting = rx.cond(
        card.waiting > 0,
        rx.fragment(count(value=card.waiting), rx.cond(card.waiting == 1, " message", " messages")),
        rx.el.span("Nothing"),
    )
    return rx.el.dl(
        rx.el.div(rx.el.dt("Hears of"), rx.el.dd(card.hears), class_name="rx-fact-wide"),
        rx.el.div(rx.el.dt("Last sent"), rx.el.dd(last)),
        rx.el.div(rx.el.dt("Waits for it"), rx.el.dd(waiting)),
        class_name="rx-store-facts",
    )


def message_list(lines: Any) -> rx.Component:
    """Draw a var of `list[MessageLine]`: what was said, to which channel, and whether it got there."""
    return rx.el.ul(rx.foreach(lines, _message), aria_label="Messages")


def _message(line: Any) -> rx.Component:
    cases = [(state, badge(icon, word, tone)) for state, (icon, word, tone) in _MESSAGES.items()]
    tries = rx.cond(line.tries != "", rx.fragment(line.tries, ". "), rx.fragment())
    outlook = rx.match(
        line.state,
        ("waiting", rx.cond(line.next_at != "", rx.fragment("Next try ", when(at=line.next_at), "."), rx.fragment())),
        ("resting", rx.fragment("It goes on when the channel does.")),
        rx.fragment(),
    )
    return rx.el.li(
        rx.match(line.state, *cases, badge("circle-help", line.state, "idle")),
        rx.el.div(
            rx.el.p(line.subject, class_name="rx-strong rx-wrap"),
            rx.cond(line.problem != "", words(text=line.problem, class_name="rx-soft rx-wrap"), rx.fragment()),
            rx.cond(
                (line.state == "waiting") | (line.state == "resting"),
                rx.el.p(tries, outlook, class_name="rx-soft"),
                rx.fragment(),
            ),
            class_name="rx-grow",
        ),
        rx.el.p("to ", line.channel, " · ", when(at=line.at), class_name="rx-soft rx-figures rx-wrap"),
        key=line.id,
        class_name="rx-message",
    )


def channel_skeleton() -> rx.Component:
    """The shape of a card before its facts are known."""
    return rx.el.div(
        rx.el.div(
            bone("disc"), rx.el.div(bone("short"), bone("line"), class_name="rx-grow"), class_name="rx-store-head"
        ),
        rx.el.div(*[rx.el.div(bone("short"), bone("line")) for _ in range(3)], class_name="rx-store-facts"),
        class_name="rx-panel rx-store",
        aria_busy="true",
    )
