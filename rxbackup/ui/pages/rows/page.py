"""The page on which one looks into a backup: tables at the side, rows of one of them beside it."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import button, icon_button
from rxbackup.ui.components.changed_rows import value_text
from rxbackup.ui.components.notices import bone, empty, failure
from rxbackup.ui.components.readouts import count, when
from rxbackup.ui.pages.rows.lines import SIGNS, Cell, RowLine
from rxbackup.ui.pages.rows.state import RowsState
from rxbackup.ui.shell import page_frame


def rows_page() -> rx.Component:
    """Looking into one backup."""
    return page_frame(
        rx.cond(
            RowsState.missing,
            rx.fragment(
                rx.el.h1("No such backup", class_name="rx-title"),
                rx.el.div(
                    empty(
                        "search-x",
                        "There is no such backup",
                        "It may have been deleted, or the link is not complete.",
                        rx.link(
                            "All backups",
                            href=addresses.BACKUPS,
                            underline="none",
                            class_name="rx-button rx-button-quiet",
                        ),
                    ),
                    class_name="rx-panel",
                ),
            ),
            rx.fragment(_head(), failure(RowsState.error, RowsState.hint), _body()),
        ),
        here=addresses.BACKUPS,
        keys={"/": "#find-table"},
    )


def _head() -> rx.Component:
    crumb = rx.link(
        rx.icon("arrow-left", size=14, aria_hidden="true"),
        rx.cond(RowsState.name != "", RowsState.name, "Backup"),
        href=f"{addresses.BACKUPS}/{RowsState.backup_id}",
        underline="none",
        class_name="rx-crumb",
    )
    return rx.el.div(
        rx.el.div(
            crumb,
            rx.el.h1("Look inside", class_name="rx-title"),
            rx.cond(
                RowsState.loaded,
                rx.el.p(
                    "Rows as they were ",
                    when(at=RowsState.at),
                    ". Looking changes nothing; it is written to the audit trail.",
                    class_name="rx-soft",
                ),
                rx.el.p(bone("line")),
            ),
        ),
        class_name="rx-head",
    )


def _body() -> rx.Component:
    return rx.el.div(
        _picker(),
        rx.cond(RowsState.table != "", _table_panel(), _nothing_chosen()),
        class_name=rx.cond(RowsState.table != "", "rx-look rx-look-chosen", "rx-look"),
    )


def _picker() -> rx.Component:
    search = rx.el.div(
        rx.icon("search", size=16, aria_hidden="true"),
        rx.el.input(
            id="find-table",
            name="find-table",
            type="search",
            class_name="rx-input",
            placeholder="Find a table",
            aria_label="Find a table",
            on_change=RowsState.set_search.debounce(200),
            custom_attrs={"aria-keyshortcuts": "/"},
        ),
        rx.el.kbd("/", class_name="rx-key", aria_hidden="true"),
        class_name="rx-search",
    )
    tables = rx.cond(
        RowsState.tables.length() > 0,
        rx.el.ul(rx.foreach(RowsState.tables, _table_link), aria_label="Tables"),
        rx.cond(
            RowsState.loaded,
            rx.el.p("No table is called so.", class_name="rx-soft rx-look-none"),
            rx.el.div(*[bone("line") for _ in range(6)], class_name="rx-look-none"),
        ),
    )
    return rx.el.nav(
        search,
        rx.el.div(tables, class_name="rx-look-list"),
        rx.cond(
            RowsState.more_tables,
            rx.el.p("There are more tables: search for their names.", class_name="rx-soft rx-look-none"),
            rx.fragment(),
        ),
        aria_label="Tables of the backup",
        class_name="rx-panel rx-look-picker",
    )


def _table_link(one: Any) -> rx.Component:
    here = one.name == RowsState.table
    return rx.el.li(
        rx.link(
            rx.el.span(
                rx.el.span(one.name, class_name="rx-look-name"),
                rx.el.span(one.group, class_name="rx-soft rx-look-group"),
            ),
            rx.el.span(count(value=one.rows), class_name="rx-soft rx-figures"),
            href=one.href,
            underline="none",
            class_name="rx-look-link",
            custom_attrs={"aria-current": rx.cond(here, "true", "false")},
        ),
        key=one.name,
    )


def _nothing_chosen() -> rx.Component:
    return rx.el.div(
        empty("table-2", "Choose a table", "Its rows appear here, as they were when the backup was taken."),
        class_name="rx-panel",
    )


def _table_panel() -> rx.Component:
    back = rx.link(
        rx.icon("list", size=16, aria_hidden="true"),
        "Other tables",
        href=f"{addresses.BACKUPS}/{RowsState.backup_id}/rows",
        underline="none",
        class_name="rx-button rx-button-quiet rx-look-back",
    )
    return rx.el.section(
        rx.el.div(
            rx.el.h2(RowsState.table, class_name="rx-heading rx-wrap"),
            rx.el.div(back, _file("CSV", "csv"), _file("JSON", "json"), class_name="rx-row"),
            class_name="rx-panel-tools",
        ),
        rx.cond(RowsState.heads.length() > 0, _conditions(), rx.fragment()),
        rx.cond(
            RowsState.rows.length() > 0,
            _rows(),
            rx.cond(
                RowsState.busy,
                _skeleton(),
                rx.cond(
                    RowsState.error != "",
                    rx.fragment(),
                    rx.cond(
                        RowsState.chips.length() > 0,
                        empty("search-x", "No row found", "No row of this table meets all conditions."),
                        empty("table-2", "No rows", "The table was empty when the backup was taken."),
                    ),
                ),
            ),
        ),
        _foot(),
        class_name="rx-panel rx-look-rows",
        aria_label="Rows",
    )


def _file(label: str, format_name: str) -> rx.Component:
    return button(
        label,
        icon="download",
        on_click=RowsState.download(format_name),
        title=f"Download all rows that meet the conditions as {label}",
    )


def _conditions() -> rx.Component:
    columns = rx.el.div(
        rx.el.select(
            rx.foreach(RowsState.heads, lambda head: rx.el.option(head.name, value=head.name, key=head.name)),
            name="column",
            aria_label="Column",
            class_name="rx-input rx-select",
        ),
        rx.icon("chevron-down", size=16, aria_hidden="true"),
        class_name="rx-select-frame",
    )
    signs = rx.el.div(
        rx.el.select(
            *[rx.el.option(words, value=sign) for sign, words in SIGNS.items()],
            name="sign",
            aria_label="Condition",
            class_name="rx-input rx-select",
        ),
        rx.icon("chevron-down", size=16, aria_hidden="true"),
        class_name="rx-select-frame",
    )
    value = rx.el.input(
        name="value", aria_label="Value", placeholder="Value", auto_complete="off", class_name="rx-input"
    )
    return rx.el.div(
        rx.el.form(
            columns,
            signs,
            value,
            button("Filter", icon="filter", type="submit"),
            on_submit=RowsState.add_condition,
            reset_on_submit=True,
            role="search",
            aria_label="Filter rows",
            class_name="rx-look-form",
            key=RowsState.table,
        ),
        rx.cond(
            RowsState.chips.length() > 0,
            rx.el.ul(rx.foreach(RowsState.chips, _chip), aria_label="Conditions", class_name="rx-look-chips"),
            rx.fragment(),
        ),
        class_name="rx-look-conditions",
    )


def _chip(chip: Any) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.span(chip.words, class_name="rx-look-chip-words"),
            rx.icon("x", size=14, aria_hidden="true"),
            rx.el.span("Remove this condition", class_name="rx-hidden"),
            type="button",
            title=chip.words,
            on_click=RowsState.drop_condition(chip.condition),
            class_name="rx-look-chip",
        ),
        key=chip.condition,
    )


def _rows() -> rx.Component:
    # Roles are written out: as cards the elements lose their native table semantics.
    heads = rx.el.tr(
        rx.el.th(
            rx.el.span("Row", class_name="rx-hidden"), role="columnheader", scope="col", class_name="rx-kept-first"
        ),
        rx.foreach(RowsState.heads, _head_cell),
        role="row",
    )
    return rx.el.div(
        rx.el.table(
            rx.el.thead(heads, role="rowgroup"),
            rx.el.tbody(rx.foreach(RowsState.rows, _row), role="rowgroup"),
            class_name="rx-table rx-kept",
            role="table",
            aria_label="Rows of the backup",
        ),
        class_name="rx-scroll",
        role="region",
        aria_label="Rows, which can be scrolled sideways",
        tab_index=0,
    )


def _head_cell(head: Any) -> rx.Component:
    return rx.el.th(
        rx.el.span(
            head.name,
            rx.cond(
                head.is_key,
                rx.icon("key-round", size=12, role="img", aria_label="primary key"),
                rx.fragment(),
            ),
            class_name="rx-kept-name",
        ),
        rx.el.span(head.type, class_name="rx-kept-type"),
        key=head.name,
        role="columnheader",
        scope="col",
    )


def _row(row: rx.Var[RowLine]) -> rx.Component:
    is_open = RowsState.opened == row.place
    return rx.fragment(
        rx.el.tr(
            rx.el.td(
                rx.el.button(
                    rx.icon("chevron-right", size=16, aria_hidden="true"),
                    rx.el.span("Row ", class_name="rx-hidden"),
                    rx.el.span(row.number),
                    type="button",
                    class_name="rx-unfold rx-kept-open",
                    aria_expanded=is_open,
                    on_click=RowsState.unfold(row.place),
                ),
                role="cell",
                class_name="rx-kept-first",
            ),
            rx.foreach(row.cells, _cell),
            role="row",
        ),
        rx.cond(
            is_open,
            rx.el.tr(
                rx.el.td(_whole_row(), role="cell", col_span=RowsState.heads.length() + 1, class_name="rx-kept-whole"),
                role="row",
            ),
            rx.fragment(),
        ),
        key=row.place,
    )


def _cell(cell: rx.Var[Cell]) -> rx.Component:
    return rx.el.td(
        value_text(cell.text, cell.is_null),
        rx.cond(cell.cut, "…", ""),
        key=cell.column,
        role="cell",
        custom_attrs={"data-label": cell.column},
    )


def _whole_row() -> rx.Component:
    return rx.cond(
        RowsState.fields.length() > 0,
        rx.el.dl(
            rx.foreach(
                RowsState.fields,
                lambda cell: rx.el.div(
                    rx.el.dt(cell.column),
                    rx.el.dd(
                        value_text(cell.text, cell.is_null),
                        rx.cond(
                            cell.cut,
                            rx.el.span(" … is longer than what is shown: download it", class_name="rx-null"),
                            rx.fragment(),
                        ),
                    ),
                    key=cell.column,
                ),
            ),
            class_name="rx-record",
        ),
        rx.el.div(bone("line"), bone("short"), aria_busy="true", aria_label="Loading the row"),
    )


def _foot() -> rx.Component:
    looking = rx.el.span(
        rx.icon("loader-circle", size=14, aria_hidden="true", class_name="rx-spin"),
        " Looking through the table",
        class_name="rx-row",
    )
    turning = rx.cond(
        ~RowsState.is_first | RowsState.more,
        rx.el.div(
            icon_button("chevron-left", "Previous page", on_click=RowsState.turn(-1), disabled=RowsState.is_first),
            icon_button("chevron-right", "Next page", on_click=RowsState.turn(1), disabled=~RowsState.more),
            class_name="rx-row",
        ),
        rx.fragment(),
    )
    return rx.el.div(
        rx.el.div(
            rx.el.span(RowsState.foot, role="status"),
            rx.cond(RowsState.computed != "", rx.el.p("Not in a backup: ", RowsState.computed), rx.fragment()),
        ),
        rx.cond(
            RowsState.busy,
            rx.el.div(looking, button("Stop", on_click=RowsState.stop), class_name="rx-row"),
            rx.cond(RowsState.unfinished, button("Look further", on_click=RowsState.find), turning),
        ),
        class_name="rx-foot",
    )


def _skeleton() -> rx.Component:
    lines = [rx.el.div(bone("short"), bone("line"), class_name="rx-look-bone") for _ in range(6)]
    return rx.el.div(*lines, aria_busy="true", aria_label="Loading rows")
