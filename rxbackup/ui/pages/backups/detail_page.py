"""The page of one backup: its facts, groups and tables, and what one can do with it."""

# mypy: disable-error-code="no-any-return,operator,attr-defined,arg-type"
# Outside its own methods a state class hands out Vars and event specs where it declares values and handlers.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.backup_table import menu_item, row_menu
from rxbackup.ui.components.buttons import button
from rxbackup.ui.components.notices import bone, empty, failure, notice
from rxbackup.ui.components.readouts import count, size, when
from rxbackup.ui.components.status_badge import (
    badge,
    origin_badge,
    proof_badge,
    proof_ladder,
    proof_sentence,
    state_badge,
)
from rxbackup.ui.pages.backups.choosing import ChoiceState
from rxbackup.ui.pages.backups.copying import CopyState
from rxbackup.ui.pages.backups.detail_state import DetailState
from rxbackup.ui.pages.backups.dialogs import dialogs
from rxbackup.ui.pages.backups.page import backup_menu, notices, primary_actions
from rxbackup.ui.pages.trash.line import trashed_line
from rxbackup.ui.session import SessionState
from rxbackup.ui.shell import page_frame

FOREIGN_WORDS = (
    "rxbackup cannot say who made it, or whether somebody changed it before it came here. "
    "Look at its tables before you restore it."
)


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
        trashed_line(row),
        failure(DetailState.error, DetailState.hint),
        failure(row.error, DetailState.facts.error_hint),
        rx.cond(row.foreign, notice("warn", "Another key signed this backup.", rx.el.p(FOREIGN_WORDS)), rx.fragment()),
        rx.foreach(DetailState.warnings, lambda text: notice("warn", text)),
        rx.cond(row.state == "complete", _proof(), rx.fragment()),
        _facts(),
        rx.cond(DetailState.places.length() > 0, _places(), rx.fragment()),
        rx.cond(DetailState.groups.length() > 0, _groups(), rx.fragment()),
        rx.cond(DetailState.tables.length() > 0, _tables(), rx.fragment()),
    )


def _proof() -> rx.Component:
    """How well it is proven, and the way to prove more."""
    row = DetailState.row
    return rx.el.section(
        rx.el.h2("Proof", class_name="rx-heading"),
        rx.el.div(
            proof_ladder(row.level, DetailState.facts.proven_at),
            rx.el.div(
                proof_sentence(row.level, row.checked_at),
                rx.cond(
                    SessionState.role != "viewer",
                    button("Verify…", icon="shield-check", on_click=ChoiceState.ask("check", row.id, row.name)),
                    rx.fragment(),
                ),
                class_name="rx-tools",
            ),
            class_name="rx-panel rx-proof",
        ),
        class_name="rx-section",
    )


def _facts() -> rx.Component:
    row, facts = DetailState.row, DetailState.facts
    return rx.el.dl(
        _fact("State", rx.el.span(state_badge(row.state), " ", origin_badge(row.origin, foreign=row.foreign))),
        _fact("Holds the rows of", when(at=row.at, exact=True)),
        _fact("Made", _made()),
        _fact("Rows", rx.el.span(count(value=row.rows), " in ", facts.tables)),
        _fact("Size", rx.el.span("Adds ", size(bytes=row.stored_bytes), ", holds ", size(bytes=row.raw_bytes))),
        _fact(
            "Deleting it frees",
            rx.cond(facts.frees_bytes > 0, size(bytes=facts.frees_bytes), rx.el.span("Nothing yet")),
        ),
        _fact("Took", rx.cond(facts.took != "", facts.took, "–")),
        _fact("Read", _read_and_reused()),
        _fact(
            "From",
            rx.el.span(facts.database, rx.cond(facts.server != "", rx.fragment(", ", facts.server), rx.fragment())),
        ),
        _fact("Id", rx.el.span(facts.full_id, class_name="rx-mono")),
        class_name="rx-panel rx-facts",
    )


def _made() -> rx.Component:
    row, facts = DetailState.row, DetailState.facts
    schedule = rx.link(row.schedule, href=addresses.SCHEDULES, underline="always")
    return rx.cond(
        row.schedule != "",
        rx.el.span("By the schedule ", schedule, ", in the name of ", row.by),
        rx.el.span(facts.made, ", ", row.by),
    )


def _read_and_reused() -> rx.Component:
    facts = DetailState.facts
    from_whom = rx.cond(
        facts.base_name != "",
        rx.fragment(
            " from ",
            rx.link(facts.base_name, href=f"{addresses.BACKUPS}/{facts.base_id}", underline="always"),
        ),
        rx.cond(facts.base_id != "", " from a backup that is deleted", ""),
    )
    return rx.cond(facts.read != "", rx.el.span(facts.read, from_whom), rx.el.span("–"))


def _places() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Where it rests", class_name="rx-heading"),
            rx.cond(
                (SessionState.role != "viewer") & (DetailState.row.state == "complete"),
                button(
                    "Copy to…",
                    icon="copy",
                    on_click=ChoiceState.ask("copy", DetailState.row.id, DetailState.row.name),
                ),
                rx.fragment(),
            ),
            class_name="rx-tools",
        ),
        rx.el.ul(rx.foreach(DetailState.places, _place), class_name="rx-panel", aria_label="Where it rests"),
        class_name="rx-section",
    )


def _place(place: Any) -> rx.Component:
    state = rx.match(
        place.state,
        ("complete", proof_badge(place.level, place.checked_at)),
        ("failed", badge("circle-alert", "Copy failed", "bad")),
        badge("loader-circle", "Being copied", "run"),
    )
    row = DetailState.row
    return rx.el.li(
        rx.el.div(
            rx.el.p(
                rx.el.span(place.store, class_name="rx-strong"),
                rx.el.span(rx.cond(place.is_copy, " · copy", " · taken here"), class_name="rx-soft"),
            ),
            rx.cond(
                place.same_server, rx.el.p("Same server: not a disaster copy", class_name="rx-soft"), rx.fragment()
            ),
            rx.cond(place.error != "", rx.el.p(place.error, class_name="rx-cell-error rx-wrap"), rx.fragment()),
            class_name="rx-grow",
        ),
        rx.cond(
            place.state == "complete",
            rx.el.span("adds ", size(bytes=place.adds_bytes), class_name="rx-soft rx-figures"),
            rx.fragment(),
        ),
        state,
        rx.cond(
            place.is_copy & (SessionState.role == "admin"),
            row_menu(
                place.store,
                rx.cond(
                    place.state == "failed",
                    menu_item("copy", "Try again", CopyState.again(row.id, row.name, place.store)),
                    rx.fragment(),
                ),
                menu_item("shield-check", "Verify this copy", CopyState.verify(row.id, row.name, place.store)),
                menu_item("trash-2", "Delete this copy", CopyState.delete(row.id, row.name, place.store), danger=True),
            ),
            rx.el.span(class_name="rx-button-square"),
        ),
        key=place.store,
        class_name="rx-place",
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
                rx.el.td(_look(one), class_name="rx-ink", title=one.name),
                rx.el.td(one.group, class_name="rx-col-aside"),
                _number(count(value=one.rows)),
                _number(size(bytes=one.raw_bytes)),
                key=one.name,
            ),
        ),
    )


def _look(table: Any) -> rx.Component:
    return rx.cond(
        (SessionState.role == "admin") & (DetailState.row.state == "complete"),
        rx.link(table.name, href=table.href, class_name="rx-subject", underline="none"),
        rx.el.span(table.name),
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
