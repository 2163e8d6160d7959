"""Where a server keeps its data, if that is on this machine and the role may know."""

from __future__ import annotations

from pathlib import Path

from rxbackup.postgres.connecting import Connection

_LOOPBACK = ("localhost", "127.", "::1")


def local_data_folder(conn: Connection) -> Path | None:
    """The folder of the server's data; None for a server elsewhere, or one that does not tell."""
    host = conn.info.host
    if host and not host.startswith(("/", "@", *_LOOPBACK)):
        return None
    row = conn.execute("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'").fetchone()
    return Path(row[0]) if row and row[0] else None
