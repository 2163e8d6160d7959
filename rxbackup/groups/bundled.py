"""The groups of the bundled asset-management application, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BUNDLED_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Assets": ("public.asset_categories", "public.assets", "public.asset_events"),
        "Users": ("public.users",),
        "Departments": ("public.departments",),
        "Issues": ("public.issues", "public.maintenance_records"),
        "Requests": ("public.asset_requests",),
        "Notifications": ("public.notifications",),
        "Preferences": ("public.notification_preferences",),
    }
)
"""Name for people → the tables that belong together. Together they are every table of the application."""
