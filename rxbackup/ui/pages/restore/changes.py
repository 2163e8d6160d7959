"""The table of changes: groups, their tables, and sample rows old → new."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.changed_rows import changed_rows
from rxbackup.ui.components.notices import empty
from rxbackup.ui.components.pager import pager
from rxbackup.ui.components.readouts import count, table_name
from rxbackup.ui.pages.restore.preview_state import PreviewState

_EXACT_HEADS = (("Table", ""), ("Added", "rx-number"), ("Changed", "rx-number"), ("Removed", "rx-number"))
_COUNT_HEADS = (("Table", ""), ("In the backup", "rx-number"), ("Now", "rx-number"), ("Difference", "rx-number"))


def changes() -> rx.Component:
    """Every change, a page at a time."""
    return rx.el.div(_tools(), _table(), class_name="rx-panel")


def _tools() -> rx.Component:
    hidden = PreviewState.exact & (PreviewState.sums.alike > 0) & (PreviewState.sums.tables > 0)
    switch = rx.el.label(
        rx.el.input(
            type="checkbox",
            class_name="rx-tick-box",
            name="all-tables",
            default_checked=PreviewState.all_tables,
            on_change=PreviewState.show_all,
        ),
        rx.el.span("Show tables that need no change"),
        class_name="rx-tick rx-tick-inline",
    )
    return rx.cond(
        hidden | PreviewState.many,
        rx.el.div(
            rx.cond(hidden, switch, rx.el.span()),
            rx.cond(PreviewState.many, _search(), rx.fragment()),
            class_name="rx-panel-tools",
        ),
        rx.fragment(),
    )


def _search() -> rx.Component:
    return rx.el.div(
        rx.icon("search", size=16, aria_hidden="true"),
        rx.el.input(
            id="find-change",
            name="find-change",
            type="search",
            class_name="rx-input",
            placeholder="Find a table",
            aria_label="Find a table",
            on_change=PreviewState.set_search.debounce(200),
        ),
        class_name="rx-search",
    )


def _table() -> rx.Component:
    def heads(columns: tuple[tuple[str, str], ...]) -> rx.Component:
        return rx.el.tr(*[rx.el.th(label, scope="col", class_name=name) for label, name in columns])

    exact = PreviewState.exact
    return rx.cond(
        PreviewState.lines.length() > 0,
        rx.fragment(
            rx.el.table(
                rx.el.thead(rx.cond(exact, heads(_EXACT_HEADS), heads(_COUNT_HEADS))),
                rx.el.tbody(rx.foreach(PreviewState.lines, _line)),
                class_name="rx-table rx-table-plain rx-changes",
                aria_label="What would change, by table",
            ),
            rx.cond(
                PreviewState.page.pages > 1,
                pager(
                    rx.el.span(count(value=PreviewState.page.total), " lines"),
                    number=PreviewState.page.number,
                    pages=PreviewState.page.pages,
                    on_turn=PreviewState.turn_page,
                ),
                rx.fragment(),
            ),
        ),
        empty("search-x", "No table matches", rx.fragment("Nothing here is called “", PreviewState.search, "”.")),
    )


def _line(line: Any) -> rx.Component:
    return rx.cond(
        line.kind == "group",
        rx.el.tr(
            rx.el.th(
                line.name, scope="rowgroup", col_span=rx.cond(line.tables > 1, 1, 4), class_name="rx-change-group"
            ),
            # One table's numbers stand in its own line already.
            rx.cond(line.tables > 1, rx.fragment(*_numbers(line)), rx.fragment()),
            class_name="rx-change-sums",
        ),
        rx.fragment(
            rx.el.tr(rx.el.td(_name(line), class_name="rx-ink"), *_numbers(line)),
            rx.cond(
                (PreviewState.opened == line.name) & (line.samples > 0),
                rx.el.tr(rx.el.td(_samples(line), col_span=4, class_name="rx-samples-cell")),
                rx.fragment(),
            ),
        ),
    )


def _numbers(line: Any) -> list[rx.Component]:
    def number(value: Any, tone: str) -> rx.Component:
        return rx.el.td(
            rx.cond(value >= 0, count(value=value), rx.el.span("–")),
            class_name=rx.cond(value > 0, f"rx-number {tone}", "rx-number rx-zero"),
        )

    def counted(value: rx.Component) -> rx.Component:
        return rx.el.td(value, class_name="rx-number")

    exact = PreviewState.exact
    return [
        rx.cond(exact, number(line.added, "rx-added"), counted(count(value=line.backup_rows))),
        rx.cond(
            exact,
            number(line.changed, "rx-changed"),
            counted(count(value=line.live_rows, estimated=line.estimated)),
        ),
        rx.cond(
            exact,
            number(line.removed, "rx-removed"),
            counted(count(value=line.backup_rows - line.live_rows, signed=True, estimated=line.estimated)),
        ),
    ]


def _name(line: Any) -> rx.Component:
    notes = rx.el.span(
        rx.cond(line.parts != "", rx.el.span(line.parts), rx.fragment()),
        rx.cond(
            line.set_aside > 0,
            rx.el.span(count(value=line.set_aside), " set aside"),
            rx.fragment(),
        ),
        class_name="rx-change-notes",
    )
    return rx.cond(
        line.samples > 0,
        rx.el.button(
            rx.icon("chevron-right", size=16, aria_hidden="true"),
            rx.el.span(table_name(name=line.name, class_name="rx-change-name"), notes, class_name="rx-change-words"),
            rx.el.span(", sample rows", class_name="rx-hidden"),
            type="button",
            class_name="rx-unfold rx-change-button",
            aria_expanded=PreviewState.opened == line.name,
            on_click=PreviewState.unfold(line.name),
        ),
        rx.el.span(
            table_name(name=line.name, class_name="rx-change-name"), notes, class_name="rx-change-words rx-change-plain"
        ),
    )


def _samples(line: Any) -> rx.Component:
    changing = line.added + line.changed + line.removed
    columns = rx.el.label(
        rx.el.input(
            type="checkbox",
            class_name="rx-tick-box",
            name="whole-rows",
            default_checked=PreviewState.whole,
            on_change=PreviewState.show_whole,
        ),
        rx.el.span("Show all columns"),
        class_name="rx-tick rx-tick-inline",
    )
    said = rx.el.p(
        rx.cond(
            changing > PreviewState.samples.length(),
            rx.fragment(count(value=PreviewState.samples.length()), " of ", count(value=changing), " rows"),
            rx.cond(changing == 1, "The one row", "All rows"),
        ),
        ", as PostgreSQL writes them:",
        class_name="rx-soft",
    )
    return rx.el.div(
        rx.el.div(said, columns, class_name="rx-samples-head"),
        changed_rows(PreviewState.samples, f"Sample rows of {line.name}"),
    )
