"""What wants a person: what it is, since when, what to do next, and a way to say that it was meant."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.readouts import when, words
from rxbackup.ui.components.status_badge import badge

_LOOKS = {
    "critical": ("shield-alert", "bad", "Critical"),
    "warning": ("triangle-alert", "warn", "Warning"),
    "notice": ("info", "idle", "Notice"),
}


def alert_list(alerts: Any, *, going: Any, may_end: Any, on_end: Callable[[Any], Any]) -> rx.Component:
    """Draw a var of `list[AlertLine]`.

    Args:
        alerts: what is open. going: ids of those that fade.
        may_end: whether the reader may say that one was expected. on_end: id → what happens then.
    """
    return rx.el.ul(
        rx.foreach(alerts, lambda alert: _alert(alert, going, may_end, on_end)),
        aria_label="Open alerts",
        class_name="rx-alerts",
    )


def _alert(alert: Any, going: Any, may_end: Any, on_end: Callable[[Any], Any]) -> rx.Component:
    icons = [(name, rx.icon(icon, size=20, aria_hidden="true")) for name, (icon, _, _) in _LOOKS.items()]
    badges = [(name, badge(icon, word, tone)) for name, (icon, tone, word) in _LOOKS.items()]
    tones = [(name, f"rx-tone-{tone}") for name, (_, tone, _) in _LOOKS.items()]
    heading = "alert-" + alert.id
    return rx.el.li(
        rx.el.article(
            rx.el.span(rx.match(alert.severity, *icons, rx.fragment()), class_name="rx-alert-icon"),
            rx.el.div(
                rx.el.div(
                    rx.el.h3(alert.title, id=heading, class_name="rx-alert-title"),
                    rx.match(alert.severity, *badges, rx.fragment()),
                    rx.el.span("since ", when(at=alert.since), class_name="rx-soft"),
                    class_name="rx-alert-head",
                ),
                words(text=alert.message),
                rx.cond(alert.hint != "", words(text=alert.hint, class_name="rx-soft"), rx.fragment()),
                rx.cond(alert.facts.length() > 0, _facts(alert), rx.fragment()),
                class_name="rx-alert-words",
            ),
            rx.el.div(
                rx.cond(
                    alert.link != "",
                    rx.link(
                        alert.link_words,
                        href=alert.link,
                        underline="none",
                        class_name="rx-button rx-button-quiet",
                    ),
                    rx.fragment(),
                ),
                rx.cond(may_end & (alert.deed != ""), _end(alert, on_end), rx.fragment()),
                class_name="rx-alert-deeds",
            ),
            custom_attrs={"aria-labelledby": heading},
            class_name=rx.cond(going.contains(alert.id), "rx-alert rx-going ", "rx-alert ").to(str)
            + rx.match(alert.severity, *tones, "rx-tone-idle").to(str),
        ),
        key=alert.id,
    )


def _end(alert: Any, on_end: Callable[[Any], Any]) -> rx.Component:
    note = "releases-" + alert.id
    return rx.fragment(
        button(
            alert.deed,
            look="quiet",
            on_click=on_end(alert.id),
            aria_label=alert.deed.to(str) + ": " + alert.title.to(str),
            custom_attrs={"aria-describedby": note},
        ),
        rx.el.p(alert.releases, id=note, class_name="rx-soft"),
    )


def _facts(alert: Any) -> rx.Component:
    return rx.el.details(
        rx.el.summary("Details"),
        rx.el.dl(
            rx.foreach(
                alert.facts,
                lambda fact: rx.el.div(rx.el.dt(fact.name), rx.el.dd(fact.value)),
            ),
            class_name="rx-alert-facts",
        ),
        class_name="rx-details",
    )
