"""Reflex reads this file; everything that can be decided elsewhere is decided in `rxbackup.ui.bundle`."""

from __future__ import annotations

import reflex as rx

from rxbackup.ui import theme
from rxbackup.ui.bundle import AnyAddressPlugin, prefer_packaged_node

prefer_packaged_node()
config = rx.Config(
    app_name="rxbackup",
    plugins=[
        rx.plugins.RadixThemesPlugin(theme=theme.radix_theme()),
        AnyAddressPlugin(),
    ],
    disable_plugins=[rx.plugins.SitemapPlugin],
    backend_host="127.0.0.1",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    # No foreign origin may read anything, so no CORS headers at all. Which origins may write or open the
    # websocket is decided by rxbackup.serving.wall, because the address people use is not known at build time.
    cors_allowed_origins=[],
)
