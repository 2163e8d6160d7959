"""The settings of the embedded PostgreSQL, written anew at every start."""

from __future__ import annotations

PORT = 5432  # only part of the socket's name: nothing listens on TCP

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_locks_per_transaction": "256",  # a backup locks every table at once
    "max_wal_size": "2GB",
    "wal_level": "minimal",  # there are no replicas, and a restore writes a lot
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "on",  # keeps one week and no more
    "log_directory": "log",
    "log_filename": "server-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}
# Commits are still written at once: tests kill the server and ask what it remembers.
_THROWAWAY = {"fsync": "off", "full_page_writes": "off"}


def settings_text(*, sockets: str, mark: str, durable: bool) -> str:
    """The file `rxbackup.conf`: sockets is the socket's folder, mark the name in the titles of processes."""
    settings = {**_SETTINGS, "unix_socket_directories": sockets, "cluster_name": mark}
    if not durable:
        settings |= _THROWAWAY
    return "".join(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items())
