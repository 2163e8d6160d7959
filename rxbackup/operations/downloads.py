"""Downloads: one-time links for the browser, streams for the terminal."""

from __future__ import annotations

from typing import BinaryIO

from rxbackup.access.actor import Actor
from rxbackup.access.roles import Permission
from rxbackup.operations.guard import requires
from rxbackup.operations.services import Services
from rxbackup.operations.views import Download, DownloadLink
from rxbackup.progress import ProgressSink


@requires(Permission.DOWNLOAD)
def request_link(services: Services, actor: Actor, backup: str, *, format_name: str = "json") -> DownloadLink:
    """A link that works once, within 60 seconds, for this session. Format is json or sql."""
    raise NotImplementedError


@requires(Permission.DOWNLOAD)
def open_link(services: Services, actor: Actor, token: str) -> Download:
    """Use up a link. Of any number of simultaneous calls exactly one succeeds.

    Raises:
        NotFound: unknown, used, expired, or somebody else's.
    """
    raise NotImplementedError


@requires(Permission.DOWNLOAD)
def export_to(
    services: Services,
    actor: Actor,
    backup: str,
    stream: BinaryIO,
    *,
    format_name: str = "json",
    on_progress: ProgressSink | None = None,
) -> int:
    """Write a backup as json or sql to `stream`; the number of bytes written."""
    raise NotImplementedError
