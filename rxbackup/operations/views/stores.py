"""The values that tell about stores and copies; doors take them from `views`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class NewStore:
    """A place that somebody wants to keep backups in.

    Attributes:
        kind: local or s3.
        path: of a local store, absolute.
        bucket, prefix, region, endpoint, style, allow_http: of an s3 store; style is auto, path or virtual.
        access_key, secret_key, session_token: of an s3 store; sealed before they are kept, and never shown again.
    """

    name: str
    kind: str
    path: str = ""
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    endpoint: str = ""
    access_key: SecretStr | None = field(default=None, repr=False)
    secret_key: SecretStr | None = field(default=None, repr=False)
    session_token: SecretStr | None = field(default=None, repr=False)
    style: str = "auto"
    allow_http: bool = False


@dataclass(frozen=True, slots=True)
class StoreView:
    """A place where backups rest.

    Attributes:
        where: the place, for people.
        same_server: whether it is lost together with the protected database.
        note: the same as a sentence; empty if there is nothing to warn of.
        backups: complete ones that rest here, copies included.
        stored_bytes: what they take.
        waiting_bytes: what nobody needs any more and will be freed.
        free_bytes, capacity_bytes: of the disk beneath; None where nobody can say.
        state: ok or failing at the last test; untested before the first.
        problem: what was wrong at the last test.
        is_default: whether backups go here unless told otherwise.
        removable: whether it was added by somebody.
        unknown_backups: how many it holds that the catalogue does not know; only counted when it is added.
    """

    name: str
    kind: str
    where: str
    same_server: bool
    note: str
    backups: int
    stored_bytes: int
    waiting_bytes: int = 0
    free_bytes: int | None = None
    capacity_bytes: int | None = None
    state: Literal["ok", "untested", "failing"] = "untested"
    probed_at: datetime | None = None
    problem: str = ""
    is_default: bool = False
    removable: bool = False
    unknown_backups: int = 0


@dataclass(frozen=True, slots=True)
class ProbeCheck:
    """One thing that was tried; `detail` says what was seen, or what went wrong and what to do."""

    name: str
    ok: bool
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ProbeView:
    """What a test of a store found; checks in the order in which they were made."""

    ok: bool
    checks: tuple[ProbeCheck, ...]
    seconds: float

    @property
    def problem(self) -> str:
        """The first thing that failed, in words; empty if nothing did."""
        return next((check.detail for check in self.checks if not check.ok), "")


@dataclass(frozen=True, slots=True)
class RebuildView:
    """What was brought back from a store.

    Attributes:
        added: backups that the catalogue did not know.
        known: those it knew.
        unreadable: those that could not be read, each with the reason.
        damaged: names of those that were brought back although parts of them are missing.
    """

    store: str
    added: int
    known: int
    unreadable: tuple[str, ...]
    seconds: float
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CopyView:
    """A backup's copy in a further store.

    Attributes:
        state: pending, running, complete, failed or deleting.
        stored_bytes: what the copy added to its store.
        verified_level: stored, readable, decrypted or restored; None if nothing was checked.
        error: what went wrong, for people; empty if nothing did.
    """

    id: str
    backup_id: str
    store: str
    state: str
    stored_bytes: int
    finished_at: datetime | None
    verified_level: str | None
    verified_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where a backup rests: first the store it was taken into, then its copies.

    Attributes:
        state: complete, running or failed.
        same_server: whether that place is lost together with the protected database: no copy for a disaster.
    """

    store: str
    kind: str
    state: str
    same_server: bool
