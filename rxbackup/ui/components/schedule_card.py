"""One schedule as a card: what it does, when next, what became of the last time."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.notices import bone
from rxbackup.ui.components.readouts import count, when, words
from rxbackup.ui.components.status_badge import badge
from rxbackup.ui.components.zones import in_zone

_LIGHTS = {
    "ok": ("shield-check", "On time", "good"),
    "running": ("loader-circle", "Running", "run"),
    "waiting": ("clock", "Not run yet", "idle"),
    "paused": ("pause", "Paused", "idle"),
    "overdue": ("shield-alert", "Overdue", "bad"),
    "failed": ("shield-alert", "Last run failed", "bad"),
    "missed": ("clock-alert", "Last run missed", "warn"),
    "skipped": ("clock-alert", "Last run skipped", "warn"),
    "late": ("clock-alert", "Late", "warn"),
}
_STATES = {
    "done": ("circle-check", "good"),
    "failed": ("circle-alert", "bad"),
    "missed": ("clock-alert", "warn"),
    "skipped": ("circle-slash", "warn"),
    "queued": ("clock", "idle"),
    "running": ("loader-circle", "run"),
}


def schedule_card(card: Any, *, tools: rx.Component, resume: rx.Component, runs: rx.Component) -> rx.Component:
    """Draw a var of `ScheduleCard`.

    Args:
        card: the facts.
        tools: its buttons. resume: the button beside the reason why it rests. runs: its runs, drawn beneath.
    """
    heading = "schedule-" + card.id
    return rx.el.article(
        rx.el.div(
            rx.el.span(rx.icon("calendar-clock", size=20, aria_hidden="true"), class_name="rx-store-icon"),
            rx.el.div(
                rx.el.div(
                    rx.el.h2(card.name, id=heading, class_name="rx-store-name"),
                    schedule_light(card.light),
                    class_name="rx-row",
                ),
                rx.el.p(card.sentence, class_name="rx-soft rx-wrap"),
                rx.cond(card.note != "", rx.el.p(card.note, class_name="rx-soft rx-wrap rx-quoted"), rx.fragment()),
                class_name="rx-grow",
            ),
            rx.el.div(tools, class_name="rx-store-tools"),
            class_name="rx-store-head",
        ),
        rx.cond(
            card.paused_because != "",
            rx.el.div(
                rx.icon("pause", size=16, aria_hidden="true"),
                rx.el.p(rx.el.span("Paused. ", class_name="rx-strong"), card.paused_because, class_name="rx-grow"),
                resume,
                class_name="rx-store-line rx-schedule-line rx-tone-warn",
            ),
            rx.fragment(),
        ),
        rx.cond(
            (card.trouble != "") | ((card.light == "failed") & (card.last_note != "")),
            rx.el.div(
                rx.icon("circle-alert", size=16, aria_hidden="true"),
                words(text=rx.cond(card.trouble != "", card.trouble, card.last_note)),
                class_name="rx-store-line rx-tone-bad",
            ),
            rx.fragment(),
        ),
        _facts(card),
        runs,
        key=card.id,
        class_name="rx-panel rx-store",
        custom_attrs={"aria-labelledby": heading},
    )


def schedule_light(light: Any) -> rx.Component:
    """How a schedule is doing, as a badge."""
    cases = [(name, badge(icon, word, tone)) for name, (icon, word, tone) in _LIGHTS.items()]
    return rx.match(light, *cases, badge("circle-help", light, "idle"))


def _facts(card: Any) -> rx.Component:
    following = rx.cond(
        card.next_at != "",
        rx.fragment(
            when(at=card.next_at),
            rx.el.span(in_zone(at=card.next_at, zone=card.zone, short=True), class_name="rx-beneath"),
        ),
        rx.cond(card.active, rx.el.span("Never again"), rx.el.span("Not while it is paused")),
    )
    last = rx.cond(
        card.last_at != "",
        rx.fragment(
            rx.cond(
                card.last_backup != "",
                rx.link(
                    card.last,
                    href=f"{addresses.BACKUPS}/{card.last_backup}",
                    class_name="rx-subject",
                    underline="none",
                ),
                rx.el.span(card.last),
            ),
            " ",
            when(at=card.last_at),
            rx.cond(
                (card.last_note != "") & (card.light != "failed"),
                rx.el.span(card.last_note, class_name="rx-beneath"),
                rx.el.span(in_zone(at=card.last_at, zone=card.zone, short=True), class_name="rx-beneath"),
            ),
        ),
        rx.el.span("Never"),
    )
    backups = rx.fragment(
        count(value=card.backups),
        rx.cond(card.keeps_all, rx.el.span("all are kept", class_name="rx-beneath"), rx.fragment()),
    )
    return rx.el.dl(
        _fact("Next run", following),
        _fact("Last run", last),
        _fact("Its backups", backups),
        _fact("In the name of", rx.el.span(card.owner, class_name="rx-wrap")),
        class_name="rx-store-facts",
    )


def _fact(label: str, value: rx.Component) -> rx.Component:
    return rx.el.div(rx.el.dt(label), rx.el.dd(value))


def runs_list(runs: Any, *, zone: Any) -> rx.Component:
    """Draw a var of `list[OccurrenceLine]`: what was due lately, and what became of it."""
    return rx.el.ul(rx.foreach(runs, lambda run: _run(run, zone)), aria_label="Its last runs", class_name="rx-runs-of")


def _run(run: Any, zone: Any) -> rx.Component:
    cases = [(name, badge(icon, run.word, tone)) for name, (icon, tone) in _STATES.items()]
    return rx.el.li(
        rx.match(run.state, *cases, badge("circle-help", run.word, "idle")),
        rx.el.div(
            rx.el.p(
                rx.cond(
                    run.backup_id != "",
                    rx.link(
                        in_zone(at=run.at, zone=zone),
                        href=f"{addresses.BACKUPS}/{run.backup_id}",
                        class_name="rx-subject",
                        underline="none",
                    ),
                    in_zone(at=run.at, zone=zone),
                ),
                rx.cond(run.by != "", rx.el.span(" · asked for by ", run.by, class_name="rx-soft"), rx.fragment()),
            ),
            rx.cond(run.note != "", words(text=run.note, class_name="rx-soft rx-wrap"), rx.fragment()),
            class_name="rx-grow",
        ),
        key=run.key,
        class_name="rx-run-of",
    )


def schedule_skeleton() -> rx.Component:
    """The shape of a card before its facts are known."""
    return rx.el.div(
        rx.el.div(
            bone("disc"), rx.el.div(bone("short"), bone("line"), class_name="rx-grow"), class_name="rx-store-head"
        ),
        rx.el.div(*[rx.el.div(bone("short"), bone("line")) for _ in range(4)], class_name="rx-store-facts"),
        class_name="rx-panel rx-store",
        aria_busy="true",
    )
