"""What the page makes of lines of activity: words, links that lead somewhere, icons that are drawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rxbackup.operations.views import ErrorView
from rxbackup.operations.views.activity import ActivityLine
from rxbackup.operations.views.activity_words import ACTS, RUNS, kind_of
from rxbackup.ui.components import activity_list
from rxbackup.ui.pages.activity.rows import activity_row

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LINE = ActivityLine("run r", NOW, "ada@b.org", "backup", "backup", "done", "Backed up", "Nightly", run_id="r")


@pytest.mark.parametrize("what", sorted({*RUNS, *ACTS}))
@pytest.mark.parametrize("outcome", ["done", "failed", "stopped", "refused", "missed"])
def test_every_line_has_an_icon_that_is_drawn(what: str, outcome: str) -> None:
    row = activity_row(replace(LINE, what=what, kind=kind_of(what), outcome=outcome))
    assert row.icon in activity_list._ICONS
    assert row.tone in {*activity_list._TONES, "plain"}


@pytest.mark.parametrize(
    ("changed", "by"),
    [
        ({}, "ada@b.org"),
        ({"schedule": "Nightly"}, "ada@b.org, for the schedule Nightly"),
        ({"by": "system"}, "rxbackup itself"),
        ({"by": "console@localhost", "door": "console"}, "the terminal"),
        ({"door": "console"}, "ada@b.org, at the terminal"),
        ({"door": "api"}, "ada@b.org, through the API"),
    ],
)
def test_who_did_it_and_how_it_came(changed: dict[str, str], by: str) -> None:
    assert activity_row(replace(LINE, **changed)).by == by  # type: ignore[arg-type]


def test_names_lead_to_what_is_still_there_and_restores_to_their_result() -> None:
    assert activity_row(LINE).href == ""
    assert activity_row(replace(LINE, backup_id="b")).href == "/backups/b"
    restored = replace(LINE, what="restore", kind="restore", backup_id="b")
    assert activity_row(restored).result_href == "/backups/b/restore?step=result&run=r"
    assert activity_row(replace(restored, outcome="failed")).result_href == ""
    schedule = replace(LINE, what="schedule.deleted", kind="schedule")
    assert activity_row(schedule).href == ""
    assert activity_row(replace(schedule, schedule_id="s")).href == "/schedules"


def test_a_failure_says_why_and_what_to_do_and_a_cancellation_is_none() -> None:
    full = ErrorView("store-full", "There is no room.", "Free some.")
    failed = activity_row(replace(LINE, outcome="failed", title="Backup failed:", error=full, seconds=62.0))
    assert (failed.message, failed.hint, failed.took, failed.tone) == (full.message, full.hint, "1 min 2 s", "bad")
    assert "store-full" in failed.details
    cancelled = activity_row(replace(LINE, outcome="stopped", error=replace(full, code="cancelled")))
    assert (cancelled.message, cancelled.hint, cancelled.tone) == ("", "", "idle")
    damaged = activity_row(replace(LINE, outcome="failed", damaged=("a", "b", "c", "d")))
    assert (damaged.message, damaged.icon) == ("a; b; c", "shield-alert")
