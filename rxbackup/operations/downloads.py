"""Downloads: one-time links for the browser, streams for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import timedelta
from functools import partial
from typing import BinaryIO
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import update
from sqlmodel import Session, col

from rxbackup import audit
from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.access.sessions import hash_token, new_token
from rxbackup.errors import NotFound, Refused, UsageError
from rxbackup.export.archive import MEDIA_TYPE, SUFFIX, write_archive
from rxbackup.export.json_document import write_json
from rxbackup.export.sql_script import write_sql
from rxbackup.operations._backups.archive_markers import keep_marker, take_marker
from rxbackup.operations._backups.catalogue import find_backup
from rxbackup.operations._backups.cutting import while_signed_in
from rxbackup.operations._backups.file_names import file_name
from rxbackup.operations._backups.holding import hold_backup
from rxbackup.operations._backups.places import reading_vault
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import BackupView, Download, DownloadLink
from rxbackup.progress import ProgressSink, ignore_progress
from rxbackup.tables.system import DownloadLink as LinkRow
from rxbackup.vault.manifest import Manifest
from rxbackup.vault.vault import Vault

__all__ = ["Download", "DownloadLink", "export_to", "open_link", "request_link"]

_Write = Callable[..., Iterator[bytes]]
_FORMATS: dict[str, tuple[_Write, str]] = {
    "json": (write_json, "application/json"),
    "sql": (write_sql, "application/sql"),
    "archive": (write_archive, MEDIA_TYPE),
}
_SUFFIXES = {"archive": SUFFIX}
_LIFETIME = timedelta(seconds=60)


@requires(Permission.DOWNLOAD)
def request_link(
    services: Services,
    actor: Actor,
    backup: str,
    *,
    format_name: str = "json",
    passphrase: SecretStr | None = None,
) -> DownloadLink:
    """A link that works once, within 60 seconds, for this session. Format is json, sql or archive.

    Args:
        services: the installation.
        actor: who asks.
        backup: which one.
        format_name: what the file shall be.
        passphrase: opens the archive where the installation's key is not. It is used now, and kept nowhere.

    Raises:
        BackupNotFound: there is no such backup.
        Refused: it is not complete.
        UsageError: there is no such format, or the passphrase does not do.
    """
    token = new_token()
    now = services.clock()
    with services.system.session(actor.identity) as session:
        view = _downloadable(session, backup, format_name, passphrase)
    if passphrase is not None:
        # Before the link is there, so that no link opens without it.
        keep_marker(services, hash_token(token), _marker(services, view, passphrase), now + _LIFETIME)
    with services.system.session(actor.identity) as session:
        session.add(
            LinkRow(
                token_hash=hash_token(token),
                backup_id=UUID(view.id),
                format=format_name,
                email=actor.email,
                session_id=UUID(actor.session_id) if actor.session_id else None,
                created_at=now,
                expires_at=now + _LIFETIME,
            )
        )
    return DownloadLink(f"/dl/{token}", now + _LIFETIME, file_name(view, _SUFFIXES.get(format_name, format_name)))


@requires(Permission.DOWNLOAD)
def open_link(services: Services, actor: Actor, token: str) -> Download:
    """Use up a link. Of any number of simultaneous calls exactly one succeeds.

    Raises:
        NotFound: unknown, used, expired, or somebody else's.
    """
    now = services.clock()
    session_id = UUID(actor.session_id) if actor.session_id else None
    with services.system.session(actor.identity) as session:
        taken = session.exec(
            update(LinkRow)
            .where(
                col(LinkRow.token_hash) == hash_token(token),
                col(LinkRow.used_at).is_(None),
                col(LinkRow.expires_at) > now,
                col(LinkRow.email) == actor.email,
                col(LinkRow.session_id).is_not_distinct_from(session_id),
            )
            .values(used_at=now)
            .returning(col(LinkRow.backup_id), col(LinkRow.format))
        ).first()
        if taken is None:
            raise NotFound("This download link was used already, or has expired.", hint="Ask for the download again.")
        view = _downloadable(session, str(taken[0]), taken[1])
        _audit(session, actor, view, taken[1])
    marker = take_marker(services, hash_token(token)) if taken[1] == "archive" else None
    content = _stream(services, view, taken[1], ignore_progress, marker)
    return Download(
        file_name(view, _SUFFIXES.get(taken[1], taken[1])),
        _FORMATS[taken[1]][1],
        while_signed_in(services, actor, content),
    )


@requires(Permission.DOWNLOAD)
def export_to(
    services: Services,
    actor: Actor,
    backup: str,
    stream: BinaryIO,
    *,
    format_name: str = "json",
    passphrase: SecretStr | None = None,
    store: str | None = None,
    on_progress: ProgressSink | None = None,
) -> int:
    """Write a backup as json, sql or archive to `stream`; the number of bytes written.

    It is read from the copy in `store`, or from where it was taken.
    """
    with services.system.session(actor.identity) as session:
        view = _downloadable(session, backup, format_name, passphrase)
        _audit(session, actor, view, format_name)
    marker = None if passphrase is None else _marker(services, view, passphrase, store)
    written = 0
    for piece in _stream(services, view, format_name, on_progress or ignore_progress, marker, store):
        stream.write(piece)
        written += len(piece)
    return written


def _stream(
    services: Services,
    view: BackupView,
    format_name: str,
    on_progress: ProgressSink,
    marker: bytes | None,
    store: str | None = None,
) -> Generator[bytes]:
    write = _FORMATS[format_name][0] if marker is None else partial(write_archive, marker=marker)
    with hold_backup(services, view.id), reading_vault(services, view, store) as vault:
        manifest = vault.get_manifest(view.id)
        yield from _written(vault, manifest, write, on_progress)


def _written(vault: Vault, manifest: Manifest, write: _Write, on_progress: ProgressSink) -> Iterator[bytes]:
    return write(vault, manifest, on_progress=on_progress)


def _marker(services: Services, view: BackupView, passphrase: SecretStr, store: str | None = None) -> bytes:
    with reading_vault(services, view, store) as vault:
        return vault.marker_for_archive(passphrase.get_secret_value())


def _downloadable(session: Session, backup: str, format_name: str, passphrase: SecretStr | None = None) -> BackupView:
    if format_name not in _FORMATS:
        raise UsageError(f"There is no format {format_name!r}.", hint=f"The formats are: {', '.join(_FORMATS)}.")
    if passphrase is not None and format_name != "archive":
        raise UsageError("Only an archive can have a passphrase.", hint="Choose the format archive.")
    view = find_backup(session, backup)
    if view.state != "complete":
        raise Refused(f"{view.name} is {view.state}: there is nothing to download.", hint="Choose a complete backup.")
    return view


def _audit(session: Session, actor: Actor, view: BackupView, format_name: str) -> None:
    audit.append(
        session,
        actor=actor.email,
        action="backup.downloaded",
        object_type="backup",
        object_id=view.id,
        details={"name": view.name, "format": format_name, "door": actor.door},
    )
