"""What there is to protect: one tile a group, with its rows now."""

# mypy: disable-error-code="no-any-return"
# Reflex builds its factories at run time: a type checker sees Any.

from __future__ import annotations

from typing import Any

import reflex as rx

from rxbackup.ui.components.notices import bone
from rxbackup.ui.components.readouts import count


def group_tiles(tiles: Any, *, loaded: rx.Var[bool], may_look: Any) -> rx.Component:
    """Tiles for a var of `list[Tile]`; their shapes while it is not loaded. `may_look`: they lead to their rows."""
    return rx.el.section(
        rx.el.h2("In the database now", class_name="rx-heading"),
        rx.cond(
            loaded,
            rx.el.ul(rx.foreach(tiles, lambda tile: _tile(tile, may_look)), class_name="rx-tiles"),
            rx.el.ul(*[_bones() for _ in range(7)], class_name="rx-tiles", aria_busy="true"),
        ),
        class_name="rx-section",
    )


def _tile(tile: Any, may_look: Any) -> rx.Component:
    opens = may_look & (tile.inside != "")
    since = rx.fragment(count(value=tile.change, signed=True), " since last backup")
    change = rx.cond(
        tile.compared,
        rx.cond(
            tile.change == 0,
            rx.el.span("same as last backup"),
            rx.cond(opens, rx.link(since, href=tile.changes, underline="none"), rx.el.span(since)),
        ),
        rx.el.span(tile.tables, rx.cond(tile.tables == 1, " table", " tables")),
    )
    return rx.el.li(
        rx.cond(
            opens,
            rx.link(tile.name, href=tile.inside, underline="none", class_name="rx-tile-name", title=tile.name),
            rx.el.p(tile.name, class_name="rx-tile-name", title=tile.name),
        ),
        rx.el.p(count(value=tile.rows, estimated=tile.estimated), class_name="rx-tile-number"),
        rx.el.p(change, class_name="rx-tile-change"),
        key=tile.name,
        class_name=rx.cond(opens, "rx-tile rx-tile-open", "rx-tile"),
    )


def _bones() -> rx.Component:
    return rx.el.li(bone("short"), bone("number"), bone("short"), class_name="rx-tile")
