"""`backup show` says in words what was read, what was reused, and on whom the backup leans."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rxbackup.cli.commands.backup import _reading
from rxbackup.operations.views import BackupDetail, BackupView

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def _detail(read: int, base: str | None, name: str | None) -> BackupDetail:
    view = BackupView(
        id="b1",
        name="Tonight",
        description="",
        when=NOW,
        created_by="ada@example.com",
        state="complete",
        rows=10,
        tables=1,
        raw_bytes=100,
        stored_bytes=10,
        seconds=1.0,
        pinned=False,
        verified_level=None,
        verified_at=None,
        store="database",
        trigger="manual",
        error=None,
        groups=(),
        job_id=None,
        segments_total=225,
        segments_read=read,
    )
    return BackupDetail(
        view=view,
        tables=(),
        groups=(),
        warnings=(),
        server_version="18.0",
        database="app",
        vault_id="v",
        taken_at=NOW,
        chunks=300,
        base_id=base,
        base_name=name,
        reused_segments=225 - read,
    )


@pytest.mark.parametrize(
    ("read", "base", "name", "said"),
    [
        (12, "b0", "Last night", '12 of 225 segments read, 213 reused from "Last night"'),
        (225, None, None, "225 of 225 segments read"),
        (225, "b0", "Last night", "225 of 225 segments read"),
    ],
)
def test_words(read: int, base: str | None, name: str | None, said: str) -> None:
    assert _reading(_detail(read, base, name)) == said


def test_a_base_that_was_deleted_is_not_needed() -> None:
    said = _reading(_detail(12, None, None))
    assert said.startswith("12 of 225 segments read, 213 reused from a backup that is deleted")
    assert "complete without it" in said
