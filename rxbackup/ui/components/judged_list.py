"""What a policy makes of each backup there is: which stay, why and until when, and which go."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.notices import notice
from rxbackup.ui.components.pager import pager
from rxbackup.ui.components.readouts import count, when
from rxbackup.ui.components.status_badge import badge


def judged_words(judged: Any) -> rx.Component:
    """How many stay and how many go, as a sentence; draws nothing before anybody asked."""
    none = rx.el.p("It has taken no backup yet: there is nothing to keep or to remove.", class_name="rx-soft")
    going = rx.cond(
        judged.going == 0,
        rx.el.span(" None goes."),
        rx.el.span(
            " ",
            rx.el.strong(count(value=judged.going)),
            rx.cond(judged.going == 1, " goes to the trash", " go to the trash"),
            " after the next good backup.",
        ),
    )
    words = rx.el.p(rx.el.strong(count(value=judged.staying)), rx.cond(judged.staying == 1, " stays.", " stay."), going)
    return rx.cond(judged.total < 0, rx.fragment(), rx.cond(judged.total == 0, none, words))


def judged_list(judged: Any, *, on_turn: Any, on_show: Any) -> rx.Component:
    """Draw a var of `Judged`: a page of backups. `on_turn` takes 1 or -1; `on_show` "", staying or going."""
    return rx.fragment(
        rx.cond(judged.held != "", notice("warn", "Nothing goes now.", rx.el.p(judged.held)), rx.fragment()),
        rx.cond(
            judged.total > 0,
            rx.el.div(
                rx.el.div(
                    _only(judged, "", "All", judged.total, on_show),
                    _only(judged, "staying", "Stay", judged.staying, on_show),
                    _only(judged, "going", "Go", judged.going, on_show),
                    class_name="rx-judged-tools",
                    role="group",
                    aria_label="Which are listed",
                ),
                rx.el.ul(
                    rx.foreach(judged.lines, _line), aria_label="What stays and what goes", class_name="rx-judged"
                ),
                pager(
                    rx.el.span("Newest first"),
                    number=judged.page,
                    pages=judged.pages,
                    on_turn=on_turn,
                ),
                class_name="rx-panel",
            ),
            rx.fragment(),
        ),
    )


def _only(judged: Any, which: str, word: str, number: Any, on_show: Any) -> rx.Component:
    return rx.el.button(
        word,
        " ",
        count(value=number),
        type="button",
        on_click=on_show(which),
        class_name=rx.cond(judged.shown == which, "rx-press rx-press-on", "rx-press"),
        custom_attrs={"aria-pressed": judged.shown == which},
    )


def _line(line: Any) -> rx.Component:
    until = rx.cond(line.until != "", rx.fragment(", goes ", when(at=line.until)), rx.fragment())
    return rx.el.li(
        rx.cond(line.going, badge("trash-2", "Goes", "warn"), badge("check", "Stays", "good")),
        rx.el.div(
            rx.el.p(line.name, class_name="rx-strong rx-wrap"),
            rx.el.p(line.why, until, class_name="rx-soft"),
            class_name="rx-grow",
        ),
        rx.el.span(when(at=line.at), class_name="rx-soft rx-figures"),
        key=line.id,
        class_name="rx-judged-one",
    )
