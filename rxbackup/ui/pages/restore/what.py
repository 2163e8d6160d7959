"""What: everything, some groups, or single tables."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.notices import empty
from rxbackup.ui.components.pager import pager
from rxbackup.ui.components.readouts import count, table_name
from rxbackup.ui.components.tick_box import tick_box
from rxbackup.ui.pages.restore.frame import step_foot, step_head
from rxbackup.ui.pages.restore.notes import first_look
from rxbackup.ui.pages.restore.state import WizardState

_HEADS = (
    ("Restore", ""),
    ("In the backup", "rx-number"),
    ("Now", "rx-number"),
    ("Difference", "rx-number rx-col-aside"),
)


def what_step() -> rx.Component:
    """Choose what to restore."""
    return rx.el.section(
        step_head(
            "What should be restored?",
            "Untick what should stay as it is now. Open a group to choose single tables.",
            step="what",
        ),
        rx.el.div(_tools(), _lines(), class_name="rx-panel"),
        first_look(),
        step_foot(
            button(
                rx.cond(WizardState.undo != "", "Next: Preview", "Next: How"),
                look="primary",
                on_click=WizardState.go(1),
                disabled=WizardState.nothing,
            ),
            back=rx.link(
                "Cancel",
                href=f"{addresses.BACKUPS}/{WizardState.backup_id}",
                underline="none",
                class_name="rx-button rx-button-quiet",
            ),
        ),
        class_name="rx-section rx-wizard",
    )


def _tools() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            rx.el.span(WizardState.chosen, class_name="rx-strong"),
            class_name="rx-pick-sum",
            custom_attrs={"aria-live": "polite"},
        ),
        rx.el.div(
            button("Tick all", look="bare", on_click=WizardState.tick_all(True)),
            button("Untick all", look="bare", on_click=WizardState.tick_all(False)),
            rx.cond(WizardState.many, _search(), rx.fragment()),
            class_name="rx-row",
        ),
        class_name="rx-panel-tools",
    )


def _search() -> rx.Component:
    return rx.el.div(
        rx.icon("search", size=16, aria_hidden="true"),
        rx.el.input(
            id="find",
            name="find",
            type="search",
            class_name="rx-input",
            placeholder="Find a table",
            aria_label="Find a table",
            default_value=WizardState.search,
            on_change=WizardState.set_search.debounce(200),
        ),
        class_name="rx-search",
    )


def _lines() -> rx.Component:
    table = rx.el.table(
        rx.el.thead(rx.el.tr(*[rx.el.th(label, scope="col", class_name=name) for label, name in _HEADS])),
        rx.el.tbody(rx.foreach(WizardState.lines, _line)),
        class_name="rx-table rx-pick",
        aria_busy=WizardState.planning,
    )
    return rx.cond(
        WizardState.lines.length() > 0,
        rx.fragment(
            table,
            rx.cond(
                WizardState.page.pages > 1,
                pager(
                    rx.el.span(count(value=WizardState.page.total), " lines"),
                    number=WizardState.page.number,
                    pages=WizardState.page.pages,
                    on_turn=WizardState.turn_page,
                ),
                rx.fragment(),
            ),
        ),
        empty("search-x", "No table matches", rx.fragment("No name holds “", WizardState.search, "”.")),
    )


def _line(line: Any) -> rx.Component:
    group = line.kind == "group"
    label = rx.el.label(
        tick_box(
            ticked=line.ticked,
            on_tick=lambda on: WizardState.tick(line.key, on),
            class_name="rx-tick-box",
            aria_label=line.name,
        ),
        table_name(name=line.name, class_name=rx.cond(group, "rx-strong rx-tick-label", "rx-tick-label")),
        class_name="rx-tick",
    )
    return rx.el.tr(
        rx.el.td(
            rx.el.div(
                rx.cond(group, _unfold(line), rx.el.span(class_name="rx-pick-indent")),
                label,
                rx.cond(group & ~line.is_open, _size(line), rx.fragment()),
                class_name="rx-pick-name",
            )
        ),
        rx.el.td(count(value=line.backup_rows), class_name="rx-number"),
        rx.el.td(_now(line), class_name="rx-number"),
        rx.el.td(_difference(line), class_name="rx-number rx-col-aside"),
        key=line.key,
        class_name=rx.cond(line.ticked == "none", "rx-skipped", ""),
    )


def _unfold(line: Any) -> rx.Component:
    return rx.el.button(
        rx.icon("chevron-right", size=16, aria_hidden="true"),
        type="button",
        class_name="rx-button rx-button-bare rx-button-square rx-unfold",
        aria_label=f"Tables of {line.name}",
        aria_expanded=line.is_open,
        on_click=WizardState.unfold(line.name),
    )


def _size(line: Any) -> rx.Component:
    return rx.el.span(line.tables, rx.cond(line.tables == 1, " table", " tables"), class_name="rx-soft rx-pick-size")


def _now(line: Any) -> rx.Component:
    return rx.cond(
        line.live_rows >= 0, count(value=line.live_rows, estimated=line.estimated), rx.el.span("–", aria_hidden="true")
    )


def _difference(line: Any) -> rx.Component:
    difference = line.backup_rows - line.live_rows
    return rx.cond(
        line.ticked == "none",
        rx.el.span("left alone"),
        rx.cond(
            line.live_rows < 0,
            rx.el.span("–", aria_hidden="true"),
            rx.cond(
                difference == 0,
                rx.el.span("same count"),
                count(value=difference, signed=True, estimated=line.estimated),
            ),
        ),
    )
