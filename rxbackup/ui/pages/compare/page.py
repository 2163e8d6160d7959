"""The page that compares: two sides, what differs by table, and the rows old → new."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.changed_rows import changed_rows
from rxbackup.ui.components.notices import bone, empty, failure, notice
from rxbackup.ui.components.pager import pager
from rxbackup.ui.components.progress_row import progress_row
from rxbackup.ui.components.readouts import count, when
from rxbackup.ui.pages.compare.lines import DifferenceLine
from rxbackup.ui.pages.compare.state import NOW, CompareState
from rxbackup.ui.session import SessionState
from rxbackup.ui.shell import page_frame

_HEADS = (("Table", ""), ("Added", "rx-number"), ("Changed", "rx-number"), ("Removed", "rx-number"))
_KINDS = (("", "All"), ("added", "Added"), ("changed", "Changed"), ("removed", "Removed"))


def compare_page() -> rx.Component:
    """Comparing two backups, or one and now."""
    return page_frame(
        rx.el.div(
            rx.el.div(
                rx.el.h1("Compare", class_name="rx-title"),
                rx.el.p(
                    "What was added, changed and removed between two moments. Nothing is restored for it.",
                    class_name="rx-soft",
                ),
            ),
            class_name="rx-head",
        ),
        rx.cond(CompareState.loaded, _sides(), _skeleton()),
        failure(CompareState.error, CompareState.hint),
        rx.match(
            CompareState.state,
            ("running", _running()),
            ("ready", _result()),
            ("failed", rx.fragment()),
            rx.cond(CompareState.loaded, _before_it(), rx.fragment()),
        ),
        here=addresses.BACKUPS,
    )


def _sides() -> rx.Component:
    def choice(label: str, name: str, value: Any, on_change: Any, *, now: bool) -> rx.Component:
        options = [rx.el.option("Now (the live database)", value=NOW)] if now else []
        return rx.el.div(
            rx.el.label(label, html_for=name, class_name="rx-label"),
            rx.el.div(
                rx.el.select(
                    *options,
                    rx.foreach(CompareState.sides, lambda one: rx.el.option(one.words, value=one.id, key=one.id)),
                    id=name,
                    name=name,
                    value=value,
                    on_change=on_change,
                    class_name="rx-input rx-select",
                ),
                rx.icon("chevron-down", size=16, aria_hidden="true"),
                class_name="rx-select-frame",
            ),
            class_name="rx-field",
        )

    same = CompareState.before == CompareState.after
    waits = CompareState.state == "running"
    return rx.el.div(
        choice("Before", "before", CompareState.before, CompareState.choose_before, now=False),
        icon_button(
            "arrow-right-left",
            "Swap both sides",
            on_click=CompareState.swap,
            disabled=(CompareState.after == NOW) | waits,
        ),
        choice("After", "after", CompareState.after, CompareState.choose_after, now=True),
        rx.cond(
            SessionState.role != "viewer",
            rx.cond(
                CompareState.state == "ready",
                button("Compare again", icon="refresh-cw", on_click=CompareState.begin),
                button(
                    "Compare",
                    look="primary",
                    icon="git-compare",
                    on_click=CompareState.begin,
                    disabled=same | waits | (CompareState.before == ""),
                ),
            ),
            rx.fragment(),
        ),
        class_name="rx-panel rx-sides",
    )


def _before_it() -> rx.Component:
    return rx.el.div(
        rx.cond(
            CompareState.sides.length() == 0,
            empty("database-backup", "No backups yet", "The first one can be compared with the live database."),
            rx.cond(
                CompareState.before == CompareState.after,
                empty("git-compare", "Both sides are the same", "Choose another backup on one of them, or now."),
                empty(
                    "git-compare",
                    "Not compared yet",
                    "Only parts that are not known to be the same are opened, so it usually takes seconds.",
                ),
            ),
        ),
        class_name="rx-panel",
    )


def _running() -> rx.Component:
    return rx.el.div(
        rx.cond(
            CompareState.run.id != "",
            rx.el.ul(
                progress_row(CompareState.run, on_cancel=CompareState.cancel, may_cancel=SessionState.role != "viewer"),
                aria_label="Running now",
                class_name="rx-runs",
            ),
            rx.el.div(bone("line"), bone("short"), class_name="rx-look-bone", aria_busy="true"),
        ),
        class_name="rx-panel",
    )


def _result() -> rx.Component:
    outcome = CompareState.outcome
    icon = rx.cond(
        outcome.tone == "good",
        rx.icon("equal", size=20, aria_hidden="true"),
        rx.icon("git-compare", size=20, aria_hidden="true"),
    )
    return rx.fragment(
        rx.el.div(
            rx.el.span(icon, class_name="rx-protection-icon"),
            rx.el.div(
                rx.el.p(outcome.title, class_name="rx-verdict-line"),
                rx.el.p(outcome.text, " · compared ", when(at=CompareState.at), class_name="rx-soft"),
                class_name="rx-protection-words",
            ),
            class_name="rx-protection rx-verdict "
            + rx.cond(outcome.tone == "good", "rx-tone-good", "rx-tone-run").to(str),
            role="status",
        ),
        rx.foreach(CompareState.notes, lambda text: notice("idle", text)),
        rx.cond(
            outcome.title != "Nothing differs", rx.el.div(_search(), _table(), class_name="rx-panel"), rx.fragment()
        ),
    )


def _search() -> rx.Component:
    search = rx.el.div(
        rx.icon("search", size=16, aria_hidden="true"),
        rx.el.input(
            id="find-difference",
            name="find-difference",
            type="search",
            class_name="rx-input",
            placeholder="Find a table",
            aria_label="Find a table",
            on_change=CompareState.set_search.debounce(200),
        ),
        class_name="rx-search",
    )
    return rx.cond(CompareState.many, rx.el.div(rx.el.span(), search, class_name="rx-panel-tools"), rx.fragment())


def _table() -> rx.Component:
    return rx.cond(
        CompareState.lines.length() > 0,
        rx.fragment(
            rx.el.table(
                rx.el.thead(rx.el.tr(*[rx.el.th(label, scope="col", class_name=name) for label, name in _HEADS])),
                rx.el.tbody(rx.foreach(CompareState.lines, _line)),
                class_name="rx-table rx-table-plain rx-changes",
                aria_label="What differs, by table",
            ),
            rx.cond(
                CompareState.page.pages > 1,
                pager(
                    rx.el.span(count(value=CompareState.page.total), " lines"),
                    number=CompareState.page.number,
                    pages=CompareState.page.pages,
                    on_turn=CompareState.turn_page,
                ),
                rx.fragment(),
            ),
        ),
        empty("search-x", "No table matches", rx.fragment("Nothing here is called “", CompareState.search, "”.")),
    )


def _line(line: rx.Var[DifferenceLine]) -> rx.Component:
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
                line.notes.length() > 0,
                rx.el.tr(
                    rx.el.td(
                        rx.foreach(line.notes, lambda note: rx.el.p(note, key=note)),
                        col_span=4,
                        class_name="rx-difference-notes",
                    )
                ),
                rx.fragment(),
            ),
            rx.cond(
                CompareState.opened == line.name,
                rx.el.tr(rx.el.td(_rows(line), col_span=4, class_name="rx-samples-cell")),
                rx.fragment(),
            ),
        ),
    )


def _numbers(line: Any) -> list[rx.Component]:
    def number(value: Any, tone: str) -> rx.Component:
        return rx.el.td(count(value=value), class_name=rx.cond(value > 0, f"rx-number {tone}", "rx-number rx-zero"))

    return [
        number(line.added, "rx-added"),
        number(line.changed, "rx-changed"),
        number(line.removed, "rx-removed"),
    ]


def _name(line: Any) -> rx.Component:
    words = rx.el.span(line.name, class_name="rx-change-name")
    has_rows = (line.added + line.changed + line.removed > 0) & (SessionState.role == "admin")
    return rx.cond(
        has_rows,
        rx.el.button(
            rx.icon("chevron-right", size=16, aria_hidden="true"),
            words,
            rx.el.span(", rows", class_name="rx-hidden"),
            type="button",
            class_name="rx-unfold rx-change-button",
            aria_expanded=CompareState.opened == line.name,
            on_click=CompareState.unfold(line.name),
        ),
        rx.el.span(words, class_name="rx-change-words rx-change-plain"),
    )


def _rows(line: Any) -> rx.Component:
    kinds = [
        rx.el.button(
            label,
            type="button",
            class_name="rx-button rx-button-bare rx-kind",
            aria_pressed=CompareState.change == kind,
            on_click=CompareState.show_change(kind),
        )
        for kind, label in _KINDS
    ]
    foot = rx.el.div(
        rx.el.span(CompareState.rows_words, role="status"),
        rx.cond(
            (CompareState.first_row > 0) | CompareState.more_rows,
            rx.el.div(
                icon_button(
                    "chevron-left",
                    "Previous rows",
                    on_click=CompareState.turn_rows(-1),
                    disabled=CompareState.first_row == 0,
                ),
                icon_button(
                    "chevron-right", "Next rows", on_click=CompareState.turn_rows(1), disabled=~CompareState.more_rows
                ),
                class_name="rx-row",
            ),
            rx.fragment(),
        ),
        class_name="rx-compared-foot",
    )
    whole = rx.el.label(
        rx.el.input(
            type="checkbox",
            class_name="rx-tick-box",
            name="whole-rows",
            default_checked=CompareState.whole,
            on_change=CompareState.show_whole,
        ),
        rx.el.span("Show all columns"),
        class_name="rx-tick rx-tick-inline",
    )
    return rx.el.div(
        rx.el.div(
            rx.el.div(*kinds, role="group", aria_label="Which rows", class_name="rx-kinds"),
            whole,
            class_name="rx-samples-head",
        ),
        failure(CompareState.rows_error, CompareState.rows_hint),
        rx.cond(
            CompareState.looking,
            rx.el.div(bone("line"), bone("short"), bone("line"), aria_busy="true", aria_label="Comparing the rows"),
            rx.fragment(
                rx.cond(
                    CompareState.rows.length() > 0,
                    changed_rows(CompareState.rows, f"Rows of {line.name} that differ"),
                    rx.fragment(),
                ),
                foot,
            ),
        ),
    )


def _skeleton() -> rx.Component:
    return rx.el.div(bone("line"), bone("short"), class_name="rx-panel rx-look-bone", aria_busy="true")
