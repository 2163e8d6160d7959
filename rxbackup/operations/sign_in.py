"""Coming in: the first admin, signing in and out, and who a session belongs to."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, text, update
from sqlmodel import Session, col, delete, select

from rxbackup import audit
from rxbackup.access.actor import SYSTEM_EMAIL, Actor, Door
from rxbackup.access.passwords import hash_password, needs_rehash, verify_password
from rxbackup.access.roles import Permission, Role
from rxbackup.access.sessions import (
    begin_session,
    end_session,
    find_session,
    hash_token,
    new_token,
    remove_ended,
)
from rxbackup.access.throttle import UnknownEmails, count_failure
from rxbackup.errors import PermissionDenied, Refused, SignInFailed, TooManyAttempts
from rxbackup.operations._people import clean_email, hash_new_password, lifetimes_of, role_of, write_admin
from rxbackup.operations.guard import open_to_all, requires
from rxbackup.operations.services import Services
from rxbackup.tables.system import Account, DownloadLink, Setting

_SETUP_TOKEN = "setup_token"  # noqa: S105 - the name of a setting
_SETUP_LIFETIME = timedelta(hours=1)
_SETUP_LOCK = 0x7278_7365
_REMEMBER_SECONDS = 2.0
_MOST_REMEMBERED = 1000

_unknown = UnknownEmails()
_remembered: dict[tuple[int, bytes], tuple[datetime, Actor]] = {}
_remembering = threading.Lock()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `token` goes into the cookie and is kept nowhere else."""

    token: str
    actor: Actor
    expires_at: datetime


@open_to_all
def setup_pending(services: Services) -> bool:
    """Whether no account exists yet."""
    with services.system.session(SYSTEM_EMAIL) as session:
        return not _has_account(session)


@open_to_all
def issue_setup_token(services: Services) -> str | None:
    """A fresh one-time token for `/setup?token=…`, good for an hour; None once an account exists.

    For the console only: who can call this becomes admin. An earlier token ends.
    """
    token = new_token()
    now = services.clock()
    value = {"hash": hash_token(token).hex(), "expires_at": (now + _SETUP_LIFETIME).isoformat()}
    with services.system.session(SYSTEM_EMAIL) as session:
        _lock_setup(session)
        if _has_account(session):
            return None
        session.merge(Setting(key=_SETUP_TOKEN, value=value, updated_at=now, updated_by=SYSTEM_EMAIL))
    return token


@open_to_all
def check_setup_token(services: Services, token: str) -> None:
    """Say before somebody types whether a setup link still works.

    Raises:
        Refused: an account exists already.
        PermissionDenied: the token is wrong, used or expired.
    """
    with services.system.session(SYSTEM_EMAIL) as session:
        _check_setup_token(services, session, token)


@open_to_all
def setup_first_admin(services: Services, token: str, email: str, password: str) -> Actor:
    """Create the first admin. Of any number of simultaneous calls exactly one succeeds.

    Raises:
        Refused: an account exists already.
        PermissionDenied: the token is wrong, used or expired.
        UsageError: email or password does not do.
    """
    with services.system.session(SYSTEM_EMAIL) as session:
        _check_setup_token(services, session, token)
    address = clean_email(email)
    hashed = hash_new_password(address, password)
    with services.system.session(SYSTEM_EMAIL) as session:
        _lock_setup(session)
        _check_setup_token(services, session, token)
        write_admin(services, session, address, hashed)
        session.exec(delete(Setting).where(col(Setting.key) == _SETUP_TOKEN))
        audit.append(session, actor=address, action="account.created", object_type="account", object_id=address,
                     details={"role": Role.ADMIN, "first": True})  # fmt: skip
    return Actor(address, Role.ADMIN)


@open_to_all
def sign_in(
    services: Services, email: str, password: str, *, ip: str | None = None, user_agent: str | None = None
) -> SignedIn:
    """Begin a session. Unknown, wrong, locked and disabled get the same answer after the same time.

    Raises:
        SignInFailed: email or password is not right.
        TooManyAttempts: too many tries for this email; says when to try again.
    """
    address = email.strip().lower()[:320].encode(errors="replace").decode().replace("\0", "?")
    # The try is counted before the password is looked at: a thousand tries at once are a thousand tries.
    stored = _reserve_try(services, address)
    if not verify_password(password, stored):
        _remember_failure(services, address, ip)
        raise SignInFailed
    return _begin(services, address, password, stored or "", ip=ip, user_agent=user_agent)


@open_to_all
def sign_out(services: Services, token: str | None) -> None:
    """End a session. Ending one that is unknown or ended is no error."""
    if not token:
        return
    forget_identity(services, token)
    with services.system.session(SYSTEM_EMAIL) as session:
        email = end_session(session, token, now=services.clock())
        if email is not None:
            audit.append(session, actor=email, action="signed_out", object_type="account", object_id=email)


@open_to_all
def identify(services: Services, token: str | None, *, touch: bool = True) -> Actor | None:
    """Whose session this is; None if nobody's. `touch=False` for polling: it does not keep a session alive.

    The answer may be up to two seconds old. An account that lost its right to be here has role `none`.
    """
    if not token:
        return None
    now = services.clock()
    key = (id(services.system), hash_token(token))
    with _remembering:
        at, actor = _remembered.get(key, (None, None))
    if at is not None and 0 <= (now - at).total_seconds() < _REMEMBER_SECONDS:
        return actor
    with services.system.session(SYSTEM_EMAIL) as session:
        found = find_session(session, token, now=now, lifetimes=lifetimes_of(services), touch=touch)
        role = role_of(services, session, found.email) if found else None
    with _remembering:
        _remembered.pop(key, None)
        if found is None or role is None:
            return None
        actor = Actor(found.email, role, found.id, Door.BROWSER)
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[key] = (now, actor)
        return actor


@open_to_all
def forget_identity(services: Services, token: str) -> None:
    """Ask the database again at the next event of this session."""
    with _remembering:
        _remembered.pop((id(services.system), hash_token(token)), None)


@requires(Permission.ADMINISTER)
def purge_sessions(services: Services, actor: Actor) -> int:
    """Remove sessions, links and setup tokens that ended; how many sessions."""
    now = services.clock()
    with services.system.session(actor.identity) as session:
        session.exec(delete(DownloadLink).where(col(DownloadLink.expires_at) <= now))
        setup = session.get(Setting, _SETUP_TOKEN)
        if setup is not None and datetime.fromisoformat(setup.value["expires_at"]) <= now:
            session.delete(setup)
        return remove_ended(session, now=now, lifetimes=lifetimes_of(services))


def _has_account(session: Session) -> bool:
    return session.exec(select(func.count()).select_from(Account)).one() > 0


def _lock_setup(session: Session) -> None:
    session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SETUP_LOCK})


def _check_setup_token(services: Services, session: Session, token: str) -> None:
    if _has_account(session):
        raise Refused("The first admin exists already.", hint="Sign in. `rxbackup admin create EMAIL` adds another.")
    row = session.get(Setting, _SETUP_TOKEN)
    good = (
        row is not None
        and row.value["hash"] == hash_token(token).hex()
        and datetime.fromisoformat(row.value["expires_at"]) > services.clock()
    )
    if not good:
        raise PermissionDenied(
            "This link is not valid any more.",
            hint="Restart `rxbackup serve`: it prints a fresh one, good for an hour.",
        )


def _reserve_try(services: Services, address: str) -> str | None:
    """Count one try, and return the hash to compare with; None where nobody may come in.

    Raises:
        TooManyAttempts: this email has to wait.
    """
    now = services.clock()
    with services.system.session(SYSTEM_EMAIL) as session:
        # Waiting for the disk only where there is something to write would tell which accounts exist.
        session.connection().execute(text("SET LOCAL synchronous_commit = off"))
        account = session.exec(select(Account).where(col(Account.email) == address).with_for_update()).first()
        locked_until = account.locked_until if account else _unknown.locked_until(address)
        if locked_until is not None and locked_until > now:
            seconds = max(1, round((locked_until - now).total_seconds()))
            wait = f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"  # noqa: PLR2004
            raise TooManyAttempts(f"Too many attempts with this email. Try again in {wait}.")
        if account is None:
            _unknown.count(address, now)
            return None
        failures, locked = count_failure(account.failed_attempts, account.locked_until, now)
        session.exec(
            update(Account).where(col(Account.id) == account.id).values(failed_attempts=failures, locked_until=locked)
        )
        return account.password_hash if account.active else None


def _remember_failure(services: Services, address: str, ip: str | None) -> None:
    with services.system.session(SYSTEM_EMAIL) as session:
        audit.append(
            session,
            actor=address,
            action="sign_in.failed",
            object_type="account",
            object_id=address,
            details={"ip": ip or ""},
        )


def _begin(
    services: Services, address: str, password: str, stored: str, *, ip: str | None, user_agent: str | None
) -> SignedIn:
    now = services.clock()
    values: dict[str, object] = {"failed_attempts": 0, "locked_until": None, "last_sign_in_at": now}
    if needs_rehash(stored):
        values["password_hash"] = hash_password(password)
    with services.system.session(SYSTEM_EMAIL) as session:
        role = role_of(services, session, address)
        if role is None:
            raise SignInFailed
        if role == Role.NONE:
            # The password was right, so this tells nothing to a stranger.
            raise PermissionDenied(f"{address} is no admin of the application, so it may not come in here.")
        session.exec(update(Account).where(col(Account.email) == address).values(**values))
        token, session_id, expires_at = begin_session(
            session, address, now=now, lifetimes=lifetimes_of(services), ip=ip, user_agent=user_agent
        )
        audit.append(
            session,
            actor=address,
            action="signed_in",
            object_type="account",
            object_id=address,
            details={"ip": ip or "", "session": str(session_id)},
        )
    return SignedIn(token, Actor(address, role, str(session_id)), expires_at)
