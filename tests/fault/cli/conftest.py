from __future__ import annotations

from tests.support.installation import admin, installation

__all__ = ["admin", "installation"]
