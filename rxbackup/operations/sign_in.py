"""Coming in: the first admin, signing in and out, and who a session belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import open_to_all, requires
from rxbackup.operations.services import Services


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `token` goes into the cookie and is kept nowhere else."""

    token: str
    actor: Actor
    expires_at: datetime


@open_to_all
def setup_pending(services: Services) -> bool:
    """Whether no account exists yet."""
    raise NotImplementedError


@open_to_all
def issue_setup_token(services: Services) -> str | None:
    """A fresh one-time token for `/setup?token=…`, good for an hour; None once an account exists. Console only."""
    raise NotImplementedError


@open_to_all
def setup_first_admin(services: Services, token: str, email: str, password: str) -> Actor:
    """Create the first admin. Of any number of simultaneous calls exactly one succeeds."""
    raise NotImplementedError


@open_to_all
def sign_in(
    services: Services, email: str, password: str, *, ip: str | None = None, user_agent: str | None = None
) -> SignedIn:
    """Begin a session. Unknown, wrong, locked and disabled get the same answer after the same time.

    Raises:
        SignInFailed: email or password is not right.
        TooManyAttempts: too many tries for this email; says when to try again.
    """
    raise NotImplementedError


@open_to_all
def sign_out(services: Services, token: str | None) -> None:
    """End a session. Ending one that is unknown or ended is no error."""
    raise NotImplementedError


@open_to_all
def identify(services: Services, token: str | None, *, touch: bool = True) -> Actor | None:
    """Whose session this is; None if nobody's. `touch=False` for polling: it does not keep a session alive."""
    raise NotImplementedError


@requires(Permission.ADMINISTER)
def purge_sessions(services: Services, actor: Actor) -> int:
    """Remove sessions and links that ended; how many."""
    raise NotImplementedError
