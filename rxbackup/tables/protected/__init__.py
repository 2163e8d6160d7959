"""The bundled asset-management application: as rich as a real one, so that protecting it proves something.

Only Alembic and the tests look at these classes. The engine finds the tables in the database, as it finds any others.
"""

from rxbackup.tables.protected.assets import Asset, AssetCategory, AssetEvent, AssetRequest
from rxbackup.tables.protected.issues import Issue, MaintenanceRecord
from rxbackup.tables.protected.notifications import Notification, NotificationPreference
from rxbackup.tables.protected.people import Department, User

__all__ = [
    "Asset",
    "AssetCategory",
    "AssetEvent",
    "AssetRequest",
    "Department",
    "Issue",
    "MaintenanceRecord",
    "Notification",
    "NotificationPreference",
    "User",
]
