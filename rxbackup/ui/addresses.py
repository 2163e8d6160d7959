"""Where things are: every address a page links to, as constants and small functions."""

from __future__ import annotations

from urllib.parse import quote

HOME = "/"
BACKUPS = "/backups"
BACKUP = "/backups/[backup_id]"
RESTORE = "/backups/[backup_id]/restore"
STORES = "/stores"
MISSING = "404"
SIGN_IN = "/sign-in"
SETUP = "/setup"
SIGN_OUT = "/auth/sign-out"


def backup_address(backup_id: str) -> str:
    """The page of one backup."""
    return f"{BACKUPS}/{quote(backup_id, safe='')}"


def restore_address(backup_id: str) -> str:
    """Where a backup is restored, step by step."""
    return f"{backup_address(backup_id)}/restore"


def sign_in_address(next_path: str) -> str:
    """The sign-in page that leads back to where one was."""
    return f"{SIGN_IN}?next={quote(next_path, safe='/')}"
