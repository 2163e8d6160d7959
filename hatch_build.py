"""Builds the page into the wheel, so that nobody who installs rxbackup needs Node, a compiler or the network later."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own parameter is never used here
    """Adds `rxbackup/_web` (the built page) and `rxbackup/_alembic` (the migrations) to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page once. An editable install finds page and migrations in the checkout and skips it."""
        if version == "editable" and os.environ.get("RXBACKUP_BUILD_PAGE") != "1":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root))
        try:
            from rxbackup.serving.page import build_page

            page = build_page(root, say=self.app.display_waiting)
        finally:
            sys.path.remove(str(root))
        build_data["force_include"][str(page)] = "rxbackup/_web"
        build_data["force_include"][str(root / "alembic")] = "rxbackup/_alembic"
