"""Where things are: every address a page links to, as constants and small functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

HOME = "/"
OVERVIEW = "/overview"
BACKUPS = "/backups"
BACKUP = "/backups/[backup_id]"
RESTORE = "/backups/[backup_id]/restore"
ROWS = "/backups/[backup_id]/rows"
COMPARE = "/compare"
STORES = "/stores"
SCHEDULES = "/schedules"
NOTIFICATIONS = "/notifications"
ACTIVITY = "/activity"
TRASH = "/trash"
MISSING = "404"
SIGN_IN = "/sign-in"
SETUP = "/setup"
SIGN_OUT = "/auth/sign-out"
CONDITIONS_BETWEEN: Final = "\n"
"""What parts several conditions in an address."""


def backup_address(backup_id: str) -> str:
    """The page of one backup."""
    return f"{BACKUPS}/{quote(backup_id, safe='')}"


def restore_address(backup_id: str) -> str:
    """Where a backup is restored, step by step."""
    return f"{backup_address(backup_id)}/restore"


def rows_address(backup_id: str, table: str = "", where: Sequence[str] = ()) -> str:
    """Where one looks into a backup: at its tables, or at the rows of one that meet all conditions."""
    query = {"table": table, "where": CONDITIONS_BETWEEN.join(where)}
    return _with_query(f"{backup_address(backup_id)}/rows", query)


def rows_file_address(backup_id: str, table: str, where: Sequence[str], format_name: str) -> str:
    """Where the same rows come as a file."""
    query = [("table", table), ("format", format_name), *(("where", condition) for condition in where)]
    return f"/api/v1{backup_address(backup_id)}/rows/file?{urlencode(query)}"


def compare_address(before: str = "", after: str = "", table: str = "") -> str:
    """Where two backups are compared, or one and now; open at a table."""
    return _with_query(COMPARE, {"a": before, "b": after, "table": table})


def _with_query(path: str, query: Mapping[str, str]) -> str:
    said = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{said}" if said else path


def sign_in_address(next_path: str) -> str:
    """The sign-in page that leads back to where one was."""
    return f"{SIGN_IN}?next={quote(next_path, safe='/')}"
