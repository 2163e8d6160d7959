"""The table of backups. It takes rows and handlers; below 720 px of its own width the rows become cards."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.buttons import icon_button
from rxbackup.ui.components.notices import bone
from rxbackup.ui.components.readouts import count, size, when
from rxbackup.ui.components.status_badge import origin_badge, place_badges, proof_badge, state_badge

_COLUMNS = (
    ("Name", "rx-col-name", "name"),
    ("When", "rx-col-when", "when"),
    ("By", "rx-col-by", "by"),
    ("Rows", "rx-col-rows rx-number", "rows"),
    ("Adds", "rx-col-size rx-number", "size"),
    ("Where", "rx-col-where", ""),
    ("Proof", "rx-col-proof", ""),
)
"""Label, class, and what the list is sorted by when it is pressed."""


@dataclass(frozen=True)
class Order:
    """How the table is sorted: Vars, and the handler that takes a column."""

    column: Any
    descending: Any
    sort_by: Callable[[str], Any]


def backup_table(rows: Any, *, going: Any, order: Order, menu: Callable[[Any], rx.Component]) -> rx.Component:
    """Draw a var of `list[BackupRow]`; rows whose id is in `going` fade. `menu` draws the ⋯ of a row."""
    # Roles are written out: as cards the elements lose their native table semantics.
    return rx.el.table(
        _header(order),
        rx.el.tbody(rx.foreach(rows, lambda row: _row(row, going, menu)), role="rowgroup"),
        class_name="rx-table rx-backups",
        role="table",
        aria_label="Backups",
    )


def table_skeleton() -> rx.Component:
    """The table's shape before its rows are known."""
    cells = [rx.el.td(bone("line"), class_name=name, role="cell") for _, name, _ in _COLUMNS]
    row = [*cells, rx.el.td(class_name="rx-col-menu", role="cell")]
    body = rx.el.tbody(*[rx.el.tr(*row, role="row") for _ in range(4)], role="rowgroup")
    return rx.el.table(
        _header(), body, class_name="rx-table rx-backups", role="table", aria_label="Backups, loading", aria_busy="true"
    )


def _header(order: Order | None = None) -> rx.Component:
    heads = [_head(label, name, column, order) for label, name, column in _COLUMNS]
    more = rx.el.th(
        rx.el.span("Actions", class_name="rx-hidden"), class_name="rx-col-menu", role="columnheader", scope="col"
    )
    return rx.el.thead(rx.el.tr(*heads, more, role="row"), role="rowgroup")


def _head(label: str, name: str, column: str, order: Order | None) -> rx.Component:
    if order is None or not column:
        return rx.el.th(label, class_name=name, role="columnheader", scope="col")
    here = order.column == column
    arrow = rx.cond(
        order.descending,
        rx.icon("arrow-down", size=12, aria_hidden="true"),
        rx.icon("arrow-up", size=12, aria_hidden="true"),
    )
    return rx.el.th(
        rx.el.button(
            rx.el.span(label), rx.cond(here, arrow, rx.fragment()), type="button", on_click=order.sort_by(column)
        ),
        class_name=f"{name} rx-sortable",
        role="columnheader",
        scope="col",
        custom_attrs={"aria-sort": rx.cond(here, rx.cond(order.descending, "descending", "ascending"), "none")},
    )


def _row(row: Any, going: Any, menu: Callable[[Any], rx.Component]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(_name(row), class_name="rx-col-name", role="cell"),
        _cell("When", "rx-col-when", when(at=row.at)),
        _cell("By", "rx-col-by", _by(row)),
        _cell("Rows", "rx-col-rows rx-number", _known(row, count(value=row.rows))),
        _cell("Adds", "rx-col-size rx-number", _known(row, size(bytes=row.stored_bytes, whole=row.raw_bytes))),
        _cell("Where", "rx-col-where", place_badges(row.places)),
        _cell("Proof", "rx-col-proof", _proof(row)),
        rx.el.td(menu(row), class_name="rx-col-menu rx-menu-cell", role="cell"),
        key=row.id,
        role="row",
        class_name=rx.cond(going.contains(row.id), "rx-going", rx.cond(row.state == "complete", "", "rx-not-good")),
    )


def _by(row: Any) -> rx.Component:
    """The schedule that took it, or else the person who did."""
    scheduled = rx.el.span(
        rx.icon("calendar-clock", size=14, role="img", aria_label="Schedule"),
        rx.el.span(row.schedule, class_name="rx-cut"),
        title=f"The schedule {row.schedule}, in the name of {row.by}",
        class_name="rx-by",
    )
    return rx.cond(row.schedule != "", scheduled, rx.el.span(row.by, title=row.by))


def _proof(row: Any) -> rx.Component:
    """How well a complete backup is proven; what became of every other."""
    return rx.cond(
        row.state == "complete",
        proof_badge(row.level, row.checked_at),
        rx.el.span(state_badge(row.state), class_name="rx-state-" + row.state),
    )


def _known(row: Any, value: rx.Component) -> rx.Component:
    """Only a complete backup has rows and a size worth a number."""
    return rx.cond(row.state == "complete", value, rx.el.span("–"))


def _cell(label: str, name: str, content: rx.Component) -> rx.Component:
    return rx.el.td(content, class_name=name, role="cell", custom_attrs={"data-label": label})


def _name(row: Any) -> rx.Component:
    beneath = rx.cond(
        row.error != "",
        rx.el.p(row.error, class_name="rx-description rx-cell-error", title=row.error),
        rx.cond(
            row.description != "",
            rx.el.p(row.description, class_name="rx-description", title=row.description),
            rx.fragment(),
        ),
    )
    return rx.fragment(
        rx.el.div(
            rx.link(
                row.name,
                href=f"{addresses.BACKUPS}/{row.id}",
                underline="none",
                class_name="rx-name-link",
                title=row.name,
            ),
            rx.cond(row.pinned, rx.icon("pin", size=14, aria_label="Pinned", role="img"), rx.fragment()),
            origin_badge(row.origin, foreign=row.foreign),
            class_name="rx-name",
        ),
        beneath,
    )


def row_menu(name: Any, *items: rx.Component) -> rx.Component:
    """The ⋯ menu of one backup. Not modal: a dialog opens after it, and two modal layers would block the page."""
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(icon_button("ellipsis", f"Actions for {name}")),
        rx.dropdown_menu.content(*items, align="end", class_name="rx-menu"),
        modal=False,
    )


def menu_item(
    icon: str, label: Any, on_select: Any = None, *, danger: bool = False, disabled: bool = False
) -> rx.Component:
    """One line of a menu."""
    extra: dict[str, Any] = {"on_select": on_select} if on_select is not None else {}
    return rx.dropdown_menu.item(
        rx.icon(icon, size=16, aria_hidden="true"),
        label,
        class_name="rx-menu-danger" if danger else "",
        disabled=disabled,
        **extra,
    )
