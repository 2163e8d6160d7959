"""Add and edit a schedule: fields at the left, what the schedule would do at the top and at the right."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.dialogs import actions, dialog
from rxbackup.ui.components.fields import field, long_field, select, text_field, tick
from rxbackup.ui.components.judged_list import judged_list, judged_words
from rxbackup.ui.components.live_form import fill_in, form_watch
from rxbackup.ui.components.notices import failure
from rxbackup.ui.components.readouts import count, words
from rxbackup.ui.components.zones import in_zone
from rxbackup.ui.pages.backups.state import WatchState
from rxbackup.ui.pages.schedules.editing import EditState
from rxbackup.ui.pages.schedules.when_fields import press, when_fields

_NOTHING = {f"keep_{name}": "" for name in ("days", "last", "hourly", "daily", "weekly", "monthly", "yearly")}
_PRESETS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Thinned out over a year", {"keep_daily": "14", "keep_weekly": "8", "keep_monthly": "12", "keep_floor": "3"}),
    ("All of 30 days", {"keep_days": "30", "keep_floor": "3"}),
    ("Everything", {"keep_floor": "1"}),
)
_USUAL = (
    ("days", "All of the last", "days"),
    ("last", "The newest", "backups"),
    ("daily", "One a day, for", "days"),
    ("weekly", "One a week, for", "weeks"),
    ("monthly", "One a month, for", "months"),
)
_RARER = (("hourly", "One an hour, for", "hours"), ("yearly", "One a year, for", "years"))


def edit_dialog() -> rx.Component:
    """The form. What is typed stays in the browser; each change is answered with what it would do."""
    filled = EditState.filled
    return dialog(
        rx.el.form(
            form_watch(on_form=EditState.changed),
            _told(),
            rx.el.div(
                rx.el.div(
                    text_field(
                        "Name",
                        name="schedule_name",
                        default_value=filled.name,
                        placeholder="For instance Nightly",
                        required=True,
                        max_length=200,
                        auto_complete="off",
                    ),
                    when_fields(),
                    _what(),
                    _where(),
                    _keep(),
                    _more(),
                    class_name="rx-edit-fields",
                ),
                _aside(),
                class_name="rx-edit",
            ),
            failure(EditState.error, EditState.hint),
            actions(
                button(
                    rx.cond(EditState.schedule == "", "Add schedule", "Save changes"),
                    look="primary",
                    type="submit",
                    disabled=EditState.sending,
                ),
                on_cancel=EditState.set_open(False),
            ),
            on_submit=EditState.submit,
        ),
        title=rx.cond(EditState.schedule == "", "Add schedule", rx.fragment("Edit “", EditState.name, "”")),
        text="Backups that are taken by themselves.",
        is_open=EditState.is_open,
        on_open_change=EditState.set_open,
        broad=True,
    )


def _told() -> rx.Component:
    """The sentence, always in sight while one chooses."""
    told = EditState.told
    return rx.el.div(
        rx.cond(
            told.problem != "",
            rx.fragment(
                rx.icon("circle-alert", size=16, aria_hidden="true"),
                rx.el.div(
                    rx.el.p(told.problem, class_name="rx-strong"),
                    rx.cond(told.hint != "", words(text=told.hint, class_name="rx-soft"), rx.fragment()),
                ),
            ),
            rx.fragment(
                rx.icon("calendar-clock", size=16, aria_hidden="true"),
                rx.el.p(rx.cond(told.sentence != "", told.sentence, "…")),
            ),
        ),
        class_name=rx.cond(told.problem != "", "rx-told rx-tone-bad", "rx-told rx-tone-idle"),
        role="status",
        custom_attrs={"aria-live": "polite"},
    )


def _what() -> rx.Component:
    filled = EditState.filled
    return rx.el.fieldset(
        rx.el.legend("What", class_name="rx-part"),
        rx.el.div(
            press("radio", "what", "Everything", value="everything", checked=filled.what == "everything"),
            press("radio", "what", "Some groups", value="some", checked=filled.what == "some"),
            class_name="rx-presss",
            role="radiogroup",
            aria_label="What to back up",
        ),
        rx.el.p("Groups that come later are backed up too.", class_name="rx-field-note rx-for-everything"),
        rx.el.div(
            rx.foreach(WatchState.tiles, _group_tick),
            class_name="rx-ticks rx-for-some",
            role="group",
            aria_label="Groups",
        ),
        class_name="rx-fieldset rx-part-body rx-what",
    )


def _group_tick(tile: Any) -> rx.Component:
    rows = rx.fragment(count(value=tile.rows, estimated=tile.estimated), " rows")
    ticked = EditState.filled.groups.contains(tile.name)
    return tick(tile.name, rows, name="group:" + tile.name, default_checked=ticked, key=tile.name)


def _where() -> rx.Component:
    choose = rx.el.fieldset(
        rx.el.legend("Where to", class_name="rx-part"),
        field(
            "Store",
            select(
                "Store",
                [],
                WatchState.stores,
                labelled=True,
                id="store",
                name="store",
                value=EditState.store,
                on_change=EditState.choose_store,
            ),
            field_id="store",
        ),
        rx.el.div(
            rx.el.p("Copy each backup to", class_name="rx-label"),
            rx.el.div(
                rx.foreach(WatchState.stores, _copy_tick), class_name="rx-ticks", role="group", aria_label="Copies"
            ),
            class_name="rx-field",
        ),
        class_name="rx-fieldset rx-part-body",
    )
    only = rx.el.input(type="hidden", name="store", value=EditState.store)
    return rx.cond(WatchState.stores.length() > 1, choose, only)


def _copy_tick(store: Any) -> rx.Component:
    note = rx.cond(store.same_server, "same server", "")
    ticked = EditState.filled.copies.contains(store.name)
    return rx.cond(
        store.name == EditState.store,
        rx.fragment(),
        tick(store.name, note, name="copy:" + store.name, default_checked=ticked, key=store.name),
    )


def _keep() -> rx.Component:
    presets = [
        fill_in(label, values={**_NOTHING, **values}, class_name="rx-button rx-button-quiet rx-preset")
        for label, values in _PRESETS
    ]
    return rx.el.fieldset(
        rx.el.legend("How long they stay", class_name="rx-part"),
        rx.el.p(
            "A backup stays as long as one of these lines keeps it; an empty line keeps nothing. "
            "With all lines empty, everything stays.",
            class_name="rx-field-note",
        ),
        rx.el.div(*presets, class_name="rx-row"),
        rx.el.div(*[_line(*line) for line in _USUAL], class_name="rx-keep-lines"),
        rx.el.details(
            rx.el.summary("Hours and years"),
            rx.el.div(*[_line(*line) for line in _RARER], class_name="rx-keep-lines"),
            class_name="rx-details",
        ),
        rx.el.div(_line("floor", "Whatever they say, never fewer than", "verified"), class_name="rx-keep-lines"),
        _today(),
        class_name="rx-fieldset rx-part-body",
    )


def _line(name: str, before: str, after: str) -> rx.Component:
    return rx.el.label(
        rx.el.span(before),
        rx.el.input(
            type="number",
            name=f"keep_{name}",
            min="1" if name == "floor" else "0",
            input_mode="numeric",
            default_value=getattr(EditState.filled, f"keep_{name}"),
            class_name="rx-input",
        ),
        rx.el.span(after),
        class_name="rx-keep-line",
    )


def _more() -> rx.Component:
    filled = EditState.filled
    return rx.el.details(
        rx.el.summary("More"),
        rx.el.div(
            text_field(
                "Read everything again, one of so many",
                name="full_every",
                type="number",
                min="1",
                input_mode="numeric",
                default_value=filled.full_every,
                placeholder="Never",
                note="Usually only what changed is read. A full backup leans on nothing.",
            ),
            text_field(
                "Begin up to so many minutes later",
                name="jitter",
                type="number",
                min="0",
                max="720",
                input_mode="numeric",
                default_value=filled.jitter,
                note="So that many schedules do not begin at once.",
            ),
            class_name="rx-columns",
        ),
        long_field("Note", name="note", default_value=filled.note, rows=2, max_length=2000, placeholder="Optional"),
        class_name="rx-details rx-part-body",
    )


def _aside() -> rx.Component:
    told = EditState.told
    runs = rx.el.div(
        rx.el.h3("Next runs", class_name="rx-part"),
        rx.el.ol(
            rx.foreach(told.runs, lambda at: rx.el.li(in_zone(at=at, zone=told.zone, yours=True), key=at)),
            class_name="rx-coming",
            aria_label="Next runs",
        ),
        rx.cond(told.year != "", rx.el.p(told.year, class_name="rx-field-note"), rx.fragment()),
        class_name="rx-lines",
    )
    return rx.el.div(
        rx.el.div(rx.cond(told.runs.length() > 0, runs, rx.fragment()), class_name="rx-edit-beside"),
        class_name="rx-edit-aside",
    )


def _today() -> rx.Component:
    """What the lines above would do to the backups there are; nothing for a schedule that is not there yet."""
    judged = EditState.simulated
    each = button(
        rx.cond(EditState.show_each, "Hide them", "Show each of them"),
        look="quiet",
        on_click=EditState.toggle_each,
        custom_attrs={"aria-expanded": EditState.show_each},
    )
    today = rx.el.div(
        rx.el.div(
            rx.el.div(
                rx.el.h3("On today’s backups", class_name="rx-label"),
                rx.el.div(judged_words(judged), role="status"),
                class_name="rx-grow",
            ),
            rx.cond(judged.total > 0, each, rx.fragment()),
            class_name="rx-today",
        ),
        rx.cond(
            EditState.show_each,
            judged_list(judged, on_turn=EditState.turn_page, on_show=EditState.show_only),
            rx.cond(judged.held != "", rx.el.p("Nothing goes now. ", judged.held, class_name="rx-soft"), rx.fragment()),
        ),
        class_name="rx-lines rx-keeps",
    )
    return rx.cond((EditState.schedule != "") & (judged.total >= 0), today, rx.fragment())
