"""What the overview makes of alerts, schedules, first steps and history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from rxbackup.cadence.rules import daily
from rxbackup.operations.views import NewSchedule
from rxbackup.operations.views.alerts import AlertView, FreshnessView
from rxbackup.operations.views.channels import ChannelView
from rxbackup.operations.views.measures import DayOfRuns, History, StoreSizeView
from rxbackup.ui.pages.overview.history import UNMEASURED, RunDay, StoreLine, lately, percentage
from rxbackup.ui.pages.overview.lines import alert_line, alert_lines, first_steps, schedule_lights
from tests.unit.ui.test_schedule_card import run
from tests.unit.ui.test_schedule_form import NOW, view_of

TODAY = date(2026, 11, 23)


def alert(kind: str = "radar", severity: str = "critical", *, about: str = "", **details: Any) -> AlertView:
    facts = tuple((name, str(value)) for name, value in details.pop("facts", {}).items())
    raised = datetime(2026, 11, 23, 2, tzinfo=UTC)
    return AlertView("a1", kind, about, "Title", severity, "Why", "What to do", facts, details, raised, None, None)


def test_the_gravest_alert_comes_first_and_of_those_the_newest() -> None:
    views = [replace(alert(severity=grave), id=id_) for id_, grave in enumerate_ids("notice warning critical critical")]
    assert [line.id for line in alert_lines(views)] == ["2", "3", "1", "0"]


def enumerate_ids(words: str) -> list[tuple[str, str]]:
    return [(str(number), word) for number, word in enumerate(words.split())]


def test_an_expected_loss_says_what_it_lets_go_on_and_shows_both_backups() -> None:
    pinned = alert(backup="new", last_good="old", pinned=True, facts={"Last good": "Monday"})
    line = alert_line(pinned)
    assert (line.deed, line.releases) == (
        "This was expected",
        "Lets schedules remove old backups again and unpins “Monday”.",
    )
    assert line.link == "/compare?a=old&b=new"
    already_pinned = alert_line(replace(pinned, details={**pinned.details, "pinned": False}))
    assert already_pinned.releases == "Lets schedules remove old backups again."


@pytest.mark.parametrize("kind", ["overdue", "store-nearly-full", "schedule-paused"])
def test_what_is_found_anew_each_minute_cannot_be_talked_away(kind: str) -> None:
    assert alert_line(alert(kind, about="x")).deed == ""


@pytest.mark.parametrize(
    ("kind", "about", "link"),
    [
        ("failure", "2b1f", "/schedules"),
        ("failure", "copy offsite", "/stores"),
        ("failure", "", "/backups"),
        ("overdue", "2b1f", "/schedules"),
        ("store-nearly-full", "offsite", "/stores"),
        ("verification-failed", "b1 offsite", "/backups/b1"),
        ("something-new", "", ""),
    ],
)
def test_an_alert_leads_to_where_it_is_set_right(kind: str, about: str, link: str) -> None:
    line = alert_line(alert(kind, about=about))
    assert (line.link, bool(line.link_words)) == (link, bool(link))


def test_the_schedules_that_are_worst_off_come_first_then_those_that_are_due_soonest() -> None:
    at_ease = replace(view_of(NewSchedule("Later", daily("02:00"))), next_at=NOW + timedelta(hours=9), last=run("done"))
    sooner = replace(at_ease, name="Sooner", next_at=NOW + timedelta(hours=2))
    failed = replace(at_ease, name="Failed", last=run("failed"))
    resting = replace(at_ease, name="Resting", active=False, next_at=None)
    late = replace(at_ease, name="Late")
    overdue = FreshnessView("id", "Late", "late", None, None, None, None, "")
    found = [(at_ease, None), (sooner, None), (failed, None), (resting, None), (late, overdue)]
    assert [one.name for one in schedule_lights(found, NOW)] == ["Late", "Failed", "Resting", "Sooner", "Later"]
    assert [one.name for one in schedule_lights(found, NOW, most=2)] == ["Late", "Failed"]


def test_first_steps_tick_themselves_off_one_after_the_other() -> None:
    nothing = FreshnessView("", "", "never", None, None, None, None, "")
    good = replace(nothing, state="ok", last_good_at=NOW)
    channel = ChannelView("c", "people", "email", "", (), True, "ada@example.com", NOW, None, "")
    assert first_steps(nothing, 0, ()).here == "back-up"
    assert first_steps(good, 0, ()).here == "schedule"
    assert first_steps(good, 1, ()).here == "tell"
    assert first_steps(good, 1, (replace(channel, active=False),)).here == "tell"
    assert first_steps(good, 1, (channel,)).here == ""
    assert first_steps(nothing, 1, (channel,)).here == "back-up"


def day(ago: int, succeeded: int, failed: int = 0, seconds: float | None = None) -> DayOfRuns:
    return DayOfRuns(TODAY - timedelta(days=ago), succeeded, failed, seconds, 1000 * succeeded, 10 * succeeded)


def test_numbers_count_the_days_that_are_drawn_and_no_other() -> None:
    history = History((day(30, 5, 5, 900.0), day(29, 1, 1, 4.0), day(0, 3, 0, 8.0)), (), None)
    shown = lately(history, 30, TODAY)
    assert (shown.first, shown.last) == ("2026-10-25", "2026-11-23")
    assert shown.days == [RunDay("2026-10-25", 1, 1, "4.0 s"), RunDay("2026-11-23", 3, 0, "8.0 s")]
    assert (shown.rate, shown.rate_of) == ("80 %", "4 of 5 backups")
    assert (shown.took, shown.slowest) == ("8.0 s", "8.0 s")
    assert (shown.raw_bytes, shown.stored_bytes) == (4000, 40)


def test_a_time_without_backups_claims_nothing() -> None:
    shown = lately(History((), (), None), 90, TODAY)
    assert (shown.known, shown.days, shown.rate, shown.took, shown.stores) == (True, [], "", "", [])
    only_bad = lately(History((day(1, 0, 2),), (), None), 90, TODAY)
    assert (only_bad.rate, only_bad.took, only_bad.days[0].took) == ("0 %", "", "")


@pytest.mark.parametrize(
    ("part", "whole", "said"), [(0, 0, ""), (999, 1000, "99.9 %"), (9999, 10000, "99.9 %"), (7, 7, "100 %")]
)
def test_a_share_is_never_rounded_up(part: int, whole: int, said: str) -> None:
    assert percentage(part, whole) == said


def test_a_day_that_nobody_measured_is_a_gap_and_today_is_as_it_is_now() -> None:
    def size(store: str, ago: int, held: int) -> StoreSizeView:
        return StoreSizeView(store, TODAY - timedelta(days=ago), held, 1, None)

    sizes = (
        size("database", 3, 10),
        size("database", 2, 20),
        size("empty", 2, 0),
        size("gone", 3, 5),
        size("database", 0, 30),
    )
    shown = lately(History((), sizes, None), 30, TODAY, {"database": 35, "empty": 0})
    assert shown.measured == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
    assert shown.stores == [
        StoreLine("database", [10, 20, UNMEASURED, 35]),
        StoreLine("gone", [5, UNMEASURED, UNMEASURED, UNMEASURED]),
    ]
