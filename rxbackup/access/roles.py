"""What each role may do."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """One thing that may be allowed or not. Every operation names exactly one."""

    VIEW = "view"
    BACK_UP = "back up"
    RESTORE = "restore"
    DELETE = "delete"
    DOWNLOAD = "download"
    VERIFY = "verify"
    ADMINISTER = "administer"


class Role(StrEnum):
    """The roles an account can have; NONE is an account that lost its right to be here."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"
    NONE = "none"


PERMISSIONS = MappingProxyType(
    {
        Role.ADMIN: frozenset(Permission),
        # An operator keeps backups coming but can neither change live data nor carry data away.
        Role.OPERATOR: frozenset({Permission.VIEW, Permission.BACK_UP, Permission.VERIFY}),
        Role.VIEWER: frozenset({Permission.VIEW}),
        Role.NONE: frozenset(),
    }
)


def permissions_of(role: str) -> frozenset[Permission]:
    """What a role may do; an unknown role may do nothing."""
    try:
        return PERMISSIONS[Role(role)]
    except ValueError:
        return frozenset()
