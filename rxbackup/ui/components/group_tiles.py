"""What there is to protect: one tile a group, with its rows now."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.notices import bone
from rxbackup.ui.components.readouts import count


def group_tiles(tiles: Any, *, loaded: rx.Var[bool]) -> rx.Component:
    """Tiles for a var of `list[Tile]`; their shapes while it is not loaded."""
    return rx.el.section(
        rx.el.h2("In the database now", class_name="rx-heading"),
        rx.cond(
            loaded,
            rx.el.ul(rx.foreach(tiles, _tile), class_name="rx-tiles"),
            rx.el.ul(*[_bones() for _ in range(7)], class_name="rx-tiles", aria_busy="true"),
        ),
        class_name="rx-section",
    )


def _tile(tile: Any) -> rx.Component:
    change = rx.cond(
        tile.compared,
        rx.cond(
            tile.change == 0,
            rx.el.span("same as last backup"),
            rx.el.span(count(value=tile.change, signed=True), " since last backup"),
        ),
        rx.el.span(tile.tables, rx.cond(tile.tables == 1, " table", " tables")),
    )
    return rx.el.li(
        rx.el.p(tile.name, class_name="rx-tile-name", title=tile.name),
        rx.el.p(count(value=tile.rows, estimated=tile.estimated), class_name="rx-tile-number"),
        rx.el.p(change, class_name="rx-tile-change"),
        key=tile.name,
        class_name="rx-tile",
    )


def _bones() -> rx.Component:
    return rx.el.li(bone("short"), bone("number"), bone("short"), class_name="rx-tile")
