"""Look into backups without restoring them: their rows, and what differs between two of them, or one and now."""
