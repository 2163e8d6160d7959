"""What stands at an address where nothing is."""

from __future__ import annotations

import reflex as rx

from rxbackup.ui import addresses
from rxbackup.ui.components.notices import empty
from rxbackup.ui.shell import page_frame


def missing_page() -> rx.Component:
    """Says that there is no such page, inside the frame, so that one can go on."""
    return page_frame(
        rx.el.h1("No such page", class_name="rx-title"),
        rx.el.div(
            empty(
                "compass",
                "There is nothing at this address",
                "The link may be old, or not complete. Your backups are not affected.",
                rx.link(
                    "Backup Management",
                    href=addresses.BACKUPS,
                    underline="none",
                    class_name="rx-button rx-button-quiet",
                ),
            ),
            class_name="rx-panel",
        ),
        here="",
    )
