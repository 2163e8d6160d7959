"""What the environment says. Read once, passed down; nothing else looks at the environment."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """Where data rests when RXBACKUP_DATA_DIR is unset.

    Root gets a system folder: PostgreSQL must run as another user, who could not look into root's home.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/rxbackup")
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "rxbackup"


class Settings(BaseSettings):
    """The settings of one installation, from `RXBACKUP_…` variables.

    Attributes:
        database_url: the database to protect; None starts the embedded one.
        system_url: where rxbackup keeps its own tables; None means the same database.
        data_dir: embedded database, key file and local store.
        key: the key itself, base64 or hex of 32 bytes; None means the key file.
        key_file: where the key file is; None means `rxbackup.key` in `data_dir`.
        public_url: the address people use, if a proxy stands before the app.
        admin_query: SQL that says who is an admin of a foreign database: one parameter, the email; true or false.
        s3_access_key, s3_secret_key, s3_session_token: for `rxbackup store add` and `rebuild`; then the store has them.
        processes: copy processes of one backup; None means one a core.
        lock_timeout_seconds: how long a backup or a restore waits for a table lock.
        prune_grace_minutes: how long what nobody needs any more stays before it is deleted.
        trash_days: how long a deleted backup can be had back.
        import_max_bytes: the largest file that can be uploaded to be imported.
        import_max_row_bytes: how many bytes of rows an imported file may hold, unpacked.
        verify_days: how many days apart a schedule's newest backup is read back by itself; 0 is never.
        drill_days: the same for drills; None means 30 for the embedded database and never for others.
        undo_days: for how many days at least a restore can be undone.
        log_format: how the server's processes log: text for people, json for whatever collects logs.
        metrics_token: what a monitoring sends as bearer token to read `/metrics` without signing in.
        session_idle_minutes: a session ends after so long without a click.
        session_hours: a session ends after so long in any case.
    """

    model_config = SettingsConfigDict(env_prefix="RXBACKUP_", extra="ignore", frozen=True)

    database_url: SecretStr | None = None
    system_url: SecretStr | None = None
    data_dir: Path = Field(default_factory=default_data_dir)
    key: SecretStr | None = None
    key_file: Path | None = None
    public_url: str | None = None
    admin_query: str | None = None
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None
    s3_session_token: SecretStr | None = None
    processes: Annotated[int, Field(ge=1, le=64)] | None = None
    lock_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    prune_grace_minutes: Annotated[int, Field(ge=0, le=525_600)] = 0
    trash_days: Annotated[int, Field(ge=0, le=3650)] = 7
    import_max_bytes: Annotated[int, Field(ge=1 << 20)] = 16 << 30
    import_max_row_bytes: Annotated[int, Field(ge=1 << 20)] = 1 << 40
    verify_days: Annotated[int, Field(ge=0, le=3650)] = 7
    drill_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    undo_days: Annotated[int, Field(ge=1, le=3650)] = 14
    log_format: Literal["text", "json"] = "text"
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    session_idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    session_hours: Annotated[int, Field(ge=1, le=168)] = 12

    @cached_property
    def key_path(self) -> Path:
        """The key file's path, whether or not it exists."""
        return self.key_file or self.data_dir / "rxbackup.key"
