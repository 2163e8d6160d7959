"""The form of a schedule: what stands in it, and the schedule that it describes; anything may come from a browser."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.cadence.rules import Rule, cron, daily, hourly, monthly, weekly
from rxbackup.errors import RxbackupError, UsageError
from rxbackup.operations import retentions
from rxbackup.operations.views import NewSchedule, ScheduleView
from rxbackup.retention.policy import Policy
from rxbackup.ui.pages.schedules import editing
from rxbackup.ui.pages.schedules.draft import NO_NAME, Filled, filled_from, read_form, suggested
from rxbackup.ui.pages.schedules.outlook import in_a_year

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SOMEWHERE = ZoneInfo("UTC")


def as_sent(filled: Filled) -> dict[str, object]:
    """What a browser sends of a form that nobody touched: only ticked boxes, and fields of every kind of rule."""
    sent: dict[str, object] = {
        "schedule_name": filled.name,
        "note": filled.note,
        "kind": filled.kind,
        "at": filled.at,
        "hours": filled.hours,
        "minute": filled.minute,
        "cron": filled.cron,
        "zone": filled.zone,
        "what": filled.what,
        "store": filled.store,
        "full_every": filled.full_every,
        "jitter": filled.jitter,
    }
    sent |= {f"wday:{day}": "on" for day in filled.days} | {f"mday:{day}": "on" for day in filled.month_days}
    sent |= {f"group:{name}": "on" for name in filled.groups} | {f"copy:{name}": "on" for name in filled.copies}
    return sent | {name: value for name, value in asdict(filled).items() if name.startswith("keep_")}


def view_of(new: NewSchedule) -> ScheduleView:
    return ScheduleView(
        id="7c7e0b66-0000-4000-8000-000000000000",
        name=new.name,
        description=new.description,
        sentence="",
        when="",
        keeps="",
        cadence=new.rule.as_json(),
        policy=new.policy.as_json(),
        zone=new.zone,
        groups=new.groups,
        store=new.store,
        copies=new.copies,
        full_every=new.full_every,
        jitter_minutes=new.jitter_minutes,
        active=True,
        paused_because="",
        owner="ada@example.com",
        created_at=NOW,
        next_at=None,
        coming=(),
        last=None,
        is_running=False,
        backups=0,
    )


RULES = st.one_of(
    st.builds(daily, st.just("02:30")),
    st.builds(weekly, st.sampled_from(["mon", "tue,sun", "mon,tue,wed,thu,fri"]), st.just("23:05")),
    st.builds(monthly, st.sampled_from(["1", "last", "1,15,last", "31"]), st.just("00:00")),
    st.builds(hourly, st.sampled_from([1, 6, 12]), minute=st.integers(0, 59)),
    st.builds(cron, st.sampled_from(["30 2 * * 1-5", "0 0 1 1 *"])),
)
COUNTS = st.none() | st.integers(0, 99)
SCHEDULES = st.builds(
    NewSchedule,
    name=st.sampled_from(["Nightly", "Ä “quoted” name"]),
    rule=RULES,
    zone=st.sampled_from(["UTC", "America/New_York"]),
    description=st.sampled_from(["", "Why"]),
    groups=st.none() | st.just(("Users", "Assets")),
    store=st.just("database"),
    copies=st.sampled_from([(), ("offsite",)]),
    policy=st.builds(Policy, days=COUNTS, last=COUNTS, hourly=COUNTS, yearly=COUNTS, floor=st.integers(1, 9)),
    full_every=st.none() | st.integers(1, 30),
    jitter_minutes=st.integers(0, 720),
)


@given(SCHEDULES)
def test_a_schedule_that_is_opened_and_saved_stays_as_it_was(new: NewSchedule) -> None:
    assert read_form(as_sent(filled_from(view_of(new)))) == new


def test_the_first_schedule_that_is_offered_is_a_good_one() -> None:
    new = read_form(as_sent(suggested(store="database", further=["database", "offsite"])) | {"zone": "Asia/Tokyo"})
    assert (new.name, new.rule, new.zone, new.groups) == ("Nightly", daily("02:00"), "Asia/Tokyo", None)
    assert (new.store, new.copies) == ("database", ("offsite",))
    assert new.policy == Policy(daily=14, weekly=8, monthly=12, floor=3)


def test_only_the_fields_of_the_chosen_kind_are_read() -> None:
    form = as_sent(Filled(name="n", store="database")) | {"kind": "hourly", "at": "never", "cron": "*"}
    assert read_form(form).rule == Rule("hourly", hours=6)


def test_a_copy_to_the_store_itself_is_none() -> None:
    form = as_sent(Filled(name="n", store="offsite", copies=("offsite", "database")))
    assert read_form(form).copies == ("database",)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"schedule_name": " "}, "no name"),
        ({"at": ""}, "no time"),
        ({"kind": "weekly", "wday:0": ""}, "No day is chosen"),
        ({"kind": "cron", "cron": "* *"}, "fields"),
        ({"what": "some"}, "No group is chosen"),
        ({"keep_days": "many"}, "whole number"),
        ({"keep_days": "-1"}, "whole number"),
        ({"keep_last": "9" * 30}, "whole number"),
        ({"keep_floor": "0"}, "cannot keep"),
        ({"full_every": "½"}, "whole number"),
        ({"minute": "99", "kind": "hourly"}, "no minute"),
    ],
)
def test_what_makes_no_sense_is_said(changed: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        read_form(as_sent(Filled(name="n", store="database")) | changed)
    assert caught.value.hint


def test_a_forecast_needs_no_name() -> None:
    assert read_form(as_sent(Filled(store="database")), name_needed=False).name == NO_NAME


@given(
    st.one_of(
        st.none(),
        st.text(),
        st.lists(st.text()),
        st.dictionaries(st.text(), st.text() | st.none() | st.lists(st.text())),
    )
)
def test_a_strange_form_is_refused_and_breaks_nothing(form: object) -> None:
    with pytest.raises(RxbackupError):
        read_form(form)


@pytest.mark.parametrize(
    ("rule", "policy", "words"),
    [
        (daily("02:00"), Policy(), "grows without end"),
        (daily("02:00"), Policy(days=30), "about 31 backups, reaching back 30 days"),
        (daily("02:00"), Policy(daily=14, weekly=8, monthly=12), "about 29 backups, reaching back 11 months"),
        (weekly("mon", "02:00"), Policy(last=1), "about 1 backup."),
        (cron("0 0 29 2 *"), Policy(last=1), ""),
        (cron("*/5 * * * *"), Policy(last=9), ""),
    ],
)
def test_the_year_to_come(rule: Rule, policy: Policy, words: str) -> None:
    told = in_a_year(rule, SOMEWHERE, policy, NOW)
    assert words in told
    assert bool(told) == bool(words)


def test_what_would_stay_is_judged_by_the_policy_and_in_the_zone_of_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(wiring, "current", lambda: None)
    monkeypatch.setattr(retentions, "preview_retention", lambda services, actor, name, **tried: asked.append(tried))
    form = as_sent(suggested(store="database", further=[])) | {"zone": "Asia/Tokyo"}
    editing._simulate(Actor("ada@example.com", "admin"), "id", form)
    assert asked == [{"policy": read_form(form, name_needed=False).policy, "zone": "Asia/Tokyo"}]
