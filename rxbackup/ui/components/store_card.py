"""One store as a card: where it is, whether it works, how full it is, what rests there."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.notices import bone
from rxbackup.ui.components.readouts import count, size, when, words
from rxbackup.ui.components.status_badge import badge

_NEARLY_FULL = 90
_ICONS = {"database": "database", "local": "folder", "s3": "cloud"}


def store_card(card: Any, *, tools: rx.Component, findings: rx.Component) -> rx.Component:
    """Draw a var of `StoreCard`.

    Args:
        card: the facts.
        tools: its buttons. findings: what a test of it found, drawn beneath.
    """
    heading = "store-" + card.name
    return rx.el.article(
        rx.el.div(
            rx.el.span(_kind_icon(card.kind), class_name="rx-store-icon"),
            rx.el.div(
                rx.el.div(
                    rx.el.h2(card.name, id=heading, class_name="rx-store-name"),
                    _state(card),
                    rx.cond(card.is_default, badge("star", "New backups go here", "idle"), rx.fragment()),
                    class_name="rx-row",
                ),
                rx.el.p(card.kind_words, " · ", rx.el.span(card.where), class_name="rx-soft rx-wrap"),
                class_name="rx-grow",
            ),
            rx.el.div(tools, class_name="rx-store-tools"),
            class_name="rx-store-head",
        ),
        rx.cond(
            card.problem != "",
            rx.el.div(
                rx.icon("circle-alert", size=16, aria_hidden="true"),
                words(text=card.problem),
                class_name="rx-store-line rx-tone-bad",
            ),
            rx.fragment(),
        ),
        _facts(card),
        rx.cond(
            card.same_server,
            rx.el.div(
                rx.icon("triangle-alert", size=16, aria_hidden="true"),
                rx.el.p(rx.el.span("Same server: not a disaster copy. ", class_name="rx-strong"), card.note),
                class_name="rx-store-line rx-tone-warn",
            ),
            rx.fragment(),
        ),
        findings,
        key=card.name,
        class_name="rx-panel rx-store",
        custom_attrs={"aria-labelledby": heading},
    )


def _kind_icon(kind: Any) -> rx.Component:
    cases = [(name, rx.icon(icon, size=20, aria_hidden="true")) for name, icon in _ICONS.items()]
    return rx.match(kind, *cases, rx.icon("hard-drive", size=20, aria_hidden="true"))


def _state(card: Any) -> rx.Component:
    age = rx.cond(card.probed_at != "", rx.el.span(when(at=card.probed_at), class_name="rx-badge-age"), rx.fragment())
    return rx.match(
        card.state,
        ("ok", badge("circle-check", "Works", "good", age)),
        ("failing", badge("circle-alert", "Does not work", "bad", age)),
        badge("circle-help", "Not tested yet", "idle"),
    )


def _facts(card: Any) -> rx.Component:
    waiting = rx.cond(
        card.waiting_bytes > 0,
        size(bytes=card.waiting_bytes),
        rx.el.span("Nothing"),
    )
    return rx.el.dl(
        _fact("Backups", count(value=card.backups)),
        _fact("Used by backups", size(bytes=card.stored_bytes)),
        _fact("Waits to be freed", waiting),
        _fact("Free on the disk", _free(card)),
        class_name="rx-store-facts",
    )


def _free(card: Any) -> rx.Component:
    known = rx.fragment(
        size(bytes=card.free_bytes),
        rx.cond(card.capacity_bytes > 0, rx.fragment(" of ", size(bytes=card.capacity_bytes)), rx.fragment()),
        rx.cond(
            card.full >= 0,
            rx.el.div(
                rx.el.div(style={"transform": f"scaleX(calc({card.full} / 100))"}),
                class_name=rx.cond(card.full >= _NEARLY_FULL, "rx-gauge rx-tone-bad", "rx-gauge"),
                aria_hidden="true",
            ),
            rx.fragment(),
        ),
    )
    return rx.cond(card.free_bytes >= 0, known, rx.el.span(rx.cond(card.kind == "s3", "No limit known", "Not known")))


def _fact(label: str, value: rx.Component) -> rx.Component:
    return rx.el.div(rx.el.dt(label), rx.el.dd(value))


def check_list(checks: Any, *, label: str) -> rx.Component:
    """Draw a var of `list[CheckLine]`: what was tried, whether it worked, and what was seen."""
    return rx.el.ul(rx.foreach(checks, _check), aria_label=label, class_name="rx-checks")


def _check(check: Any) -> rx.Component:
    return rx.el.li(
        rx.cond(
            check.ok,
            rx.icon("check", size=16, role="img", aria_label="Passed", class_name="rx-check-good"),
            rx.icon("x", size=16, role="img", aria_label="Failed", class_name="rx-check-bad"),
        ),
        rx.el.span(check.name, class_name="rx-strong"),
        words(text=check.detail, class_name="rx-soft"),
        key=check.name,
    )


def store_skeleton() -> rx.Component:
    """The shape of a card before its facts are known."""
    return rx.el.div(
        rx.el.div(
            bone("disc"), rx.el.div(bone("short"), bone("line"), class_name="rx-grow"), class_name="rx-store-head"
        ),
        rx.el.div(*[rx.el.div(bone("short"), bone("line")) for _ in range(4)], class_name="rx-store-facts"),
        class_name="rx-panel rx-store",
        aria_busy="true",
    )
