"""A schedule that is due soon runs in the real app without anybody touching it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.running_app import RunningApp
from tests.support.terminal import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
_PATIENCE_SECONDS = 240


def test_a_schedule_two_minutes_ahead_runs_by_itself(fresh_app: RunningApp) -> None:
    shell = Terminal({"RXBACKUP_DATA_DIR": str(fresh_app.data_dir)})
    due = (datetime.now(UTC) + timedelta(minutes=2)).replace(second=0, microsecond=0)
    added = shell.run("schedule", "add", "Soon", "--daily", f"{due:%H:%M}", "--keep-last", "3", "--json").json
    assert datetime.fromisoformat(added["coming"][0]) == due
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (shown := shell.run("schedule", "show", "Soon", "--json").json)["last"] is None or shown["is_running"]:
        assert time.monotonic() < deadline, fresh_app.output
        time.sleep(5)
    while (last := shell.run("schedule", "show", "Soon", "--json").json["last"])["state"] == "queued":
        assert time.monotonic() < deadline, fresh_app.output
        time.sleep(5)
    assert (last["state"], datetime.fromisoformat(last["due_at"])) == ("done", due), last
    [taken] = shell.run("backup", "list", "--json").json["backups"]
    assert (taken["state"], taken["trigger"], taken["id"]) == ("complete", "schedule", last["backup_id"])
    assert "Traceback" not in fresh_app.output
