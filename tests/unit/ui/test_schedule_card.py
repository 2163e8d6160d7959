"""What the page says about a schedule, its runs and what it keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rxbackup.cadence.rules import daily
from rxbackup.operations.views import JudgedView, NewSchedule, OccurrenceView, RetentionView
from rxbackup.operations.views.alerts import FreshnessView
from rxbackup.ui.pages.schedules.rows import judged, light_of, occurrence_line, schedule_card
from tests.unit.ui.test_schedule_form import NOW, view_of

VIEW = replace(view_of(NewSchedule("Nightly", daily("02:00"))), next_at=NOW + timedelta(hours=2))


def run(state: str, *, message: str = "", missed: int = 0) -> OccurrenceView:
    return OccurrenceView("id", "Nightly", NOW, state, message, missed, job_id="j", backup_id="b")


@pytest.mark.parametrize(
    ("changed", "light"),
    [
        ({}, "waiting"),
        ({"last": run("done")}, "ok"),
        ({"last": run("failed")}, "failed"),
        ({"last": run("missed")}, "missed"),
        ({"last": run("skipped")}, "skipped"),
        ({"last": run("queued")}, "running"),
        ({"last": run("running")}, "running"),
        ({"last": run("failed"), "active": False}, "paused"),
        ({"last": run("done"), "next_at": NOW - timedelta(minutes=11)}, "late"),
        ({"last": run("done"), "next_at": NOW - timedelta(minutes=5)}, "ok"),
    ],
)
def test_the_light(changed: dict[str, object], light: str) -> None:
    assert light_of(replace(VIEW, **changed), None, NOW) == light  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "changed", "light"),
    [
        ("late", {"last": run("failed")}, "overdue"),
        ("late", {"last": run("done"), "is_running": True}, "running"),
        ("paused", {"active": False}, "paused"),
        ("ok", {"last": run("skipped")}, "skipped"),
    ],
)
def test_no_good_backup_in_time_is_said_before_anything_else(
    state: str, changed: dict[str, object], light: str
) -> None:
    fresh = FreshnessView("id", "Nightly", state, None, None, None, None, "Nightly has brought no good backup yet.")
    card = schedule_card(replace(VIEW, **changed), fresh, NOW)  # type: ignore[arg-type]
    assert (card.light, bool(card.trouble)) == (light, light == "overdue")


def test_a_good_run_leads_to_its_backup_and_needs_no_words_unless_it_made_up_for_others() -> None:
    good = schedule_card(replace(VIEW, last=run("done", message="23 rows are safe.")), None, NOW)
    assert (good.last, good.last_note, good.last_backup) == ("Done", "", "b")
    caught_up = schedule_card(replace(VIEW, last=run("done", message="Made up for.", missed=3)), None, NOW)
    assert caught_up.last_note == "Made up for."
    failed = schedule_card(replace(VIEW, last=run("failed", message="The bucket is gone.")), None, NOW)
    assert (failed.last_note, failed.last_backup) == ("The bucket is gone.", "")


def test_a_line_may_stand_for_many_missed_runs() -> None:
    assert occurrence_line(run("missed", missed=1200)).word == "1\u202f200 missed"
    assert occurrence_line(run("missed", missed=1)).word == "Missed"


def backup(number: int, *, going: bool) -> JudgedView:
    at = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=number)
    return JudgedView(str(number), f"b{number}", at, False, 1, () if going else ("of the newest 2",), None, going)


def test_what_stays_and_what_goes_comes_a_page_at_a_time_and_can_be_narrowed() -> None:
    view = RetentionView("Nightly", "Keep the last 2", "", tuple(backup(n, going=n > 1) for n in range(30)))
    first = judged(view, per_page=12)
    assert (first.total, first.staying, first.going, first.pages) == (30, 2, 28, 3)
    assert [line.why for line in first.lines[:3]] == ["Of the newest 2", "Of the newest 2", "Nothing keeps it any more"]
    assert judged(view, 9, per_page=12).page == 3
    staying = judged(view, 3, "staying", per_page=12)
    assert ([line.going for line in staying.lines], staying.page, staying.pages) == ([False, False], 1, 1)
    assert all(line.going for line in judged(view, 1, "going").lines)
