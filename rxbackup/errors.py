"""Everything that can go wrong and be told to a person.

    RxbackupError                       exit 1, HTTP 500
    ├── UsageError                      exit 2, HTTP 400    what was asked makes no sense
    │   └── TooLarge                    exit 2, HTTP 413
    ├── Refused                         exit 3, HTTP 409    asked well, but not allowed or not safe
    │   ├── PermissionDenied            exit 3, HTTP 403
    │   │   └── NotSignedIn             exit 3, HTTP 401
    │   │       └── SignInFailed
    │   ├── TooManyAttempts             exit 3, HTTP 429
    │   ├── PlanRefused                 exit 3, HTTP 409
    │   └── Busy                        exit 3, HTTP 409
    ├── NotFound                        exit 4, HTTP 404
    │   ├── BackupNotFound, JobNotFound, ObjectNotFound
    ├── Corrupt                         exit 5, HTTP 422
    │   ├── ChunkCorrupt, ChunkMissing, ManifestCorrupt
    │   ├── FileCorrupt
    │   └── VaultMarkerMissing
    ├── Interrupted                     exit 6, HTTP 409
    │   ├── Cancelled, WorkerLost
    ├── KeyTrouble                      exit 1, HTTP 503
    │   ├── KeyMissing, KeyFileDamaged, KeyFileExposed, WrongKey
    ├── DatabaseTrouble                 exit 1, HTTP 503
    │   ├── DatabaseUnavailable
    │   │   └── StatementCancelled
    │   ├── LockNotAvailable, RowsHidden, DatabaseRefused, SchemaMoved
    ├── NotDelivered                    exit 1, HTTP 502    a message did not reach its channel
    └── StoreTrouble                    exit 1, HTTP 503
        ├── StoreFull (507), StoreNotWritable, StoreDenied, StoreMisaddressed
        └── StoreUnavailable
            └── StoreMissing

Each class says in one sentence what happened. `message` says it for this case, `hint` says what to do next.
Doors translate once: `cli` to exit codes, `api` to problem documents, `ui` to a lasting message.
"""

from __future__ import annotations

from typing import ClassVar


class RxbackupError(Exception):
    """Something went wrong that a person can be told about.

    Args:
        message: what happened, in this case; the class docstring's first line if not given.
        hint: what to do next; the class's own hint if not given.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    default_hint: ClassVar[str] = "Run `rxbackup doctor` and read its findings."

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        self.message = message or self._first_line()
        self.hint = hint or self.default_hint
        super().__init__(self.message)

    def __reduce__(self) -> tuple[object, tuple[type[RxbackupError], str, str]]:
        # Errors travel from copy processes to the leader; keyword-only arguments do not pickle by themselves.
        return (_rebuild, (type(self), self.message, self.hint))

    @classmethod
    def _first_line(cls) -> str:
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]

    @property
    def code(self) -> str:
        """The class name in kebab case: stable, for machines."""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def _rebuild(kind: type[RxbackupError], message: str, hint: str) -> RxbackupError:
    return kind(message, hint=hint)


class UsageError(RxbackupError):
    """What was asked makes no sense as it stands.

    Args:
        message, hint: as of every error.
        field: which of the given values is meant, where it is one, so that a form can say it there.
    """

    exit_code = 2
    http_status = 400
    default_hint = "Correct the value and try again."

    def __init__(self, message: str | None = None, *, hint: str | None = None, field: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class TooLarge(UsageError):
    """What was sent is larger than is allowed."""

    http_status = 413
    default_hint = "Send less, or raise the limit that the message names."


class Refused(RxbackupError):
    """The request is understood but not allowed, or not safe."""

    exit_code = 3
    http_status = 409
    default_hint = "Change what the message names, then try again."


class PermissionDenied(Refused):
    """This account may not do that."""

    http_status = 403
    default_hint = "Ask an admin to do it, or to change the role of the account."


class NotSignedIn(PermissionDenied):
    """Nobody is signed in, or the session has ended."""

    http_status = 401
    default_hint = "Sign in and try again."


class SignInFailed(NotSignedIn):
    """The email or the password is not right."""

    default_hint = "Check both and try again. `rxbackup admin create EMAIL` on the server sets a new password."


class TooManyAttempts(Refused):
    """Too many attempts in a short time."""

    http_status = 429
    default_hint = "Wait the time named in the message, then try again."


class PlanRefused(Refused):
    """The restore was refused before anything was changed."""

    default_hint = "Choose the groups that the message names as well, or leave out those that depend on them."


class Busy(Refused):
    """Another operation is using this."""

    default_hint = "Wait until the other operation has finished, or cancel it."


class NotFound(RxbackupError):
    """What was asked for does not exist."""

    exit_code = 4
    http_status = 404
    default_hint = "List what exists and check the name."


class BackupNotFound(NotFound):
    """There is no such backup."""

    default_hint = "`rxbackup backup list` shows every backup with its id."


class JobNotFound(NotFound):
    """There is no such run."""

    default_hint = "Reload the page: the list shows every run that is known."


class ObjectNotFound(NotFound):
    """The store does not hold this object."""

    default_hint = "Run `rxbackup backup verify` to see which backups need it."


class Corrupt(RxbackupError):
    """Stored bytes are not what was written."""

    exit_code = 5
    http_status = 422
    default_hint = "Nothing was changed. Verify the other backups, and take a new full backup now."


class ChunkCorrupt(Corrupt):
    """A stored chunk fails its authentication or its hash."""


class ChunkMissing(Corrupt):
    """A chunk that a backup needs is not in the store."""


class ManifestCorrupt(Corrupt):
    """The manifest of a backup cannot be read or contradicts itself."""


class FileCorrupt(Corrupt):
    """The file is not what its maker wrote, or nothing that can be imported."""

    default_hint = "Nothing was imported. Get the file again from where it came, then try again."


class VaultMarkerMissing(Corrupt):
    """The store holds objects but not the vault's marker `vault.json`."""

    default_hint = "Check that the right folder or bucket is mounted. Nothing was initialised and nothing deleted."


class Interrupted(RxbackupError):
    """The operation stopped before it was done."""

    exit_code = 6
    http_status = 409
    default_hint = "Nothing is half done: start it again when you like."


class Cancelled(Interrupted):
    """The operation was cancelled."""


class WorkerLost(Interrupted):
    """The process that ran the operation went away."""


class KeyTrouble(RxbackupError):
    """The encryption key cannot be used."""

    http_status = 503
    default_hint = "Put the right key file back (RXBACKUP_KEY_FILE), or set RXBACKUP_KEY."


class KeyMissing(KeyTrouble):
    """There are backups, but no key to open them."""


class KeyFileDamaged(KeyTrouble):
    """The key file is there but is not a key."""


class KeyFileExposed(KeyTrouble):
    """Other users of this machine can read the key file."""

    default_hint = "Run `chmod 600` on the key file, and think about who may have read it."


class WrongKey(KeyTrouble):
    """This key does not open this vault."""


class DatabaseTrouble(RxbackupError):
    """The database could not do what was asked."""

    http_status = 503
    default_hint = "Read the message from PostgreSQL, mend its cause, and try again."


class DatabaseUnavailable(DatabaseTrouble):
    """The database cannot be reached."""

    default_hint = "Check that PostgreSQL runs and that RXBACKUP_DATABASE_URL is right, then try again."


class StatementCancelled(DatabaseUnavailable):
    """A statement was ended on the database's server before it was done."""

    default_hint = "If nobody cancelled the run, look in the server's log for who ended the statement, then try again."


class DatabaseRefused(DatabaseTrouble):
    """PostgreSQL refused a statement."""


class LockNotAvailable(DatabaseTrouble):
    """A table stayed locked by somebody else for too long."""

    default_hint = "Let the transaction named in the message finish, or end it, then try again."


class RowsHidden(DatabaseTrouble):
    """Row-level security or missing rights hide rows from the backup's role."""

    default_hint = "Let the role of RXBACKUP_DATABASE_URL own the tables, or give it BYPASSRLS and SELECT."


class SchemaMoved(DatabaseTrouble):
    """Tables were created, dropped or altered while the operation began."""

    default_hint = "Wait until the migration is through, then try again."


class NotDelivered(RxbackupError):
    """The message could not be delivered."""

    http_status = 502
    default_hint = "Check the channel, then send a test."


class StoreTrouble(RxbackupError):
    """The place where backups rest could not do what was asked."""

    http_status = 503
    default_hint = "Check the store, then try again. Backups already stored are not touched."


class StoreFull(StoreTrouble):
    """There is no space left in the store."""

    http_status = 507
    default_hint = "Free some space or delete backups you no longer need, then try again. Stored backups are intact."


class StoreUnavailable(StoreTrouble):
    """The store cannot be reached."""


class StoreMissing(StoreUnavailable):
    """The folder or the bucket of the store is not there."""

    default_hint = "Check its name, and that the disk is mounted. Nothing was made in its place and nothing deleted."


class StoreDenied(StoreTrouble):
    """The store refuses these credentials."""

    default_hint = "Give the store credentials that are valid and may read, write, list and delete there."


class StoreMisaddressed(StoreTrouble):
    """The address of the store does not lead to such a place."""

    default_hint = "Correct endpoint, region, style or bucket of the store, then test it again."


class StoreNotWritable(StoreTrouble):
    """The store may not be written to."""

    default_hint = "Give the user that runs rxbackup the right to write there, then try again."
