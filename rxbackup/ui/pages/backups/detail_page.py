"""The page of one backup: its facts, groups and tables, and what one can do with it."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.notices import bone, empty, failure, notice
from rxbackup.ui.components.readouts import count, size, when
from rxbackup.ui.components.result_panel import result_panel
from rxbackup.ui.components.status_badge import proof_badge, state_badge
from rxbackup.ui.pages.backups.detail_state import DetailState
from rxbackup.ui.pages.backups.dialogs import dialogs
from rxbackup.ui.pages.backups.page import backup_menu, notices, primary_actions
from rxbackup.ui.pages.backups.state import WatchState
from rxbackup.ui.shell import page_frame


def backup_page() -> rx.Component:
    """One backup."""
    return page_frame(
        rx.cond(
            DetailState.missing,
            rx.fragment(rx.el.h1("No such backup", class_name="rx-title"), _missing()),
            rx.cond(DetailState.loaded, _body(), _skeleton()),
        ),
        dialogs(),
        here=addresses.BACKUPS,
    )


def _body() -> rx.Component:
    row = DetailState.row
    return rx.fragment(
        rx.el.div(
            rx.el.div(
                _crumb(),
                rx.el.h1(row.name, class_name="rx-title"),
                rx.cond(row.description != "", rx.el.p(row.description, class_name="rx-soft"), rx.fragment()),
            ),
            rx.el.div(primary_actions(row), backup_menu(row), class_name="rx-row"),
            class_name="rx-head",
        ),
        notices(),
        failure(DetailState.error, DetailState.hint),
        failure(row.error, DetailState.facts.error_hint),
        rx.foreach(DetailState.warnings, lambda text: notice("warn", text)),
        rx.cond(
            WatchState.result_backup == row.id, result_panel(WatchState, on_close=WatchState.hide_result), rx.fragment()
        ),
        _facts(),
        rx.cond(DetailState.groups.length() > 0, _groups(), rx.fragment()),
        rx.cond(DetailState.tables.length() > 0, _tables(), rx.fragment()),
    )


def _facts() -> rx.Component:
    row, facts = DetailState.row, DetailState.facts
    return rx.el.dl(
        _fact("State", state_badge(row.state)),
        _fact("Proof", proof_badge(row.level, row.checked_at)),
        _fact("Holds the rows of", when(at=row.at, exact=True)),
        _fact("Made", rx.el.span(facts.made, ", ", row.by)),
        _fact("Rows", rx.el.span(count(value=row.rows), " in ", facts.tables)),
        _fact("Size", rx.el.span(size(bytes=row.stored_bytes), " stored, ", size(bytes=row.raw_bytes), " as text")),
        _fact("Took", rx.cond(facts.took != "", facts.took, "–")),
        _fact("Kept", facts.store),
        _fact(
            "From",
            rx.el.span(facts.database, rx.cond(facts.server != "", rx.fragment(", ", facts.server), rx.fragment())),
        ),
        _fact("Id", rx.el.span(facts.full_id, class_name="rx-mono")),
        class_name="rx-panel rx-facts",
    )


def _fact(label: str, value: Any) -> rx.Component:
    return rx.el.div(rx.el.dt(label), rx.el.dd(value))


def _groups() -> rx.Component:
    return _part(
        "Groups",
        (("Group", ""), ("Tables", "rx-number rx-col-aside"), ("Rows", "rx-number"), ("Size as text", "rx-number")),
        rx.foreach(
            DetailState.groups,
            lambda one: rx.el.tr(
                rx.el.td(one.name, class_name="rx-ink"),
                rx.el.td(count(value=one.tables), class_name="rx-number rx-col-aside"),
                _number(count(value=one.rows)),
                _number(size(bytes=one.raw_bytes)),
                key=one.name,
            ),
        ),
    )


def _tables() -> rx.Component:
    return _part(
        "Tables",
        (("Table", ""), ("Group", "rx-col-aside"), ("Rows", "rx-number"), ("Size as text", "rx-number")),
        rx.foreach(
            DetailState.tables,
            lambda one: rx.el.tr(
                rx.el.td(one.name, class_name="rx-ink", title=one.name),
                rx.el.td(one.group, class_name="rx-col-aside"),
                _number(count(value=one.rows)),
                _number(size(bytes=one.raw_bytes)),
                key=one.name,
            ),
        ),
    )


def _part(title: str, heads: tuple[tuple[str, str], ...], rows: Any) -> rx.Component:
    return rx.el.section(
        rx.el.h2(title, class_name="rx-heading"),
        rx.el.div(
            rx.el.table(
                rx.el.thead(rx.el.tr(*[rx.el.th(label, scope="col", class_name=name) for label, name in heads])),
                rx.el.tbody(rows),
                class_name="rx-table rx-table-plain",
            ),
            class_name="rx-panel",
        ),
        class_name="rx-section",
    )


def _number(value: rx.Component) -> rx.Component:
    return rx.el.td(value, class_name="rx-number")


def _crumb() -> rx.Component:
    return rx.link(
        rx.icon("arrow-left", size=14, aria_hidden="true"),
        "Backup Management",
        href=addresses.BACKUPS,
        underline="none",
        class_name="rx-crumb",
    )


def _missing() -> rx.Component:
    return rx.el.div(
        empty(
            "search-x",
            "There is no such backup",
            "It may have been deleted, or the link is not complete.",
            rx.link("All backups", href=addresses.BACKUPS, underline="none", class_name="rx-button rx-button-quiet"),
        ),
        class_name="rx-panel",
    )


def _skeleton() -> rx.Component:
    parts = [rx.el.div(bone("short"), bone("line")) for _ in range(8)]
    return rx.fragment(
        rx.el.div(_crumb(), rx.el.h1("Backup", class_name="rx-title"), aria_busy="true"),
        rx.el.div(*parts, class_name="rx-panel rx-facts"),
    )
