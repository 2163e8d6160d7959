"""Who asks. Identity is the email, everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from rxbackup.access.roles import Permission, Role, permissions_of

SYSTEM_EMAIL = "system"
CONSOLE_EMAIL = "console@localhost"


class Door(StrEnum):
    """By which door an actor came in; the audit trail keeps it."""

    BROWSER = "browser"
    API = "api"
    CONSOLE = "console"
    WORKER = "worker"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks for something.

    Attributes:
        email: who it is; written to `created_by` and to the audit trail.
        role: one of `rxbackup.access.roles.Role`.
        session_id: the session that carries the request, None outside the browser.
        door: by which door the request came.
    """

    email: str
    role: str
    session_id: str | None = None
    door: str = Door.BROWSER

    @classmethod
    def system(cls) -> Self:
        """The app itself: scheduler, reaping, sign-in."""
        return cls(email=SYSTEM_EMAIL, role=Role.ADMIN, door=Door.SYSTEM)

    @classmethod
    def console(cls, email: str | None = None) -> Self:
        """Somebody at the terminal of the host. Who can read the key file and the database may do everything."""
        return cls(email=(email or CONSOLE_EMAIL).strip().lower(), role=Role.ADMIN, door=Door.CONSOLE)

    @property
    def identity(self) -> str:
        """The identity that row-level security sees.

        The console acts with the host's rights, whether or not its email has an account.
        """
        return SYSTEM_EMAIL if self.door in {Door.CONSOLE, Door.SYSTEM} else self.email

    def may(self, permission: Permission) -> bool:
        """Whether this actor's role allows it."""
        return permission in permissions_of(self.role)
