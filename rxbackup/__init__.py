"""rxbackup: backups of a PostgreSQL application's data that know rows."""

__version__ = "0.1.0"
