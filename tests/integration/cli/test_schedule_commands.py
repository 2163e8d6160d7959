"""Schedules, retention and the trash as a person types them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.terminal import Terminal


def test_a_schedule_from_add_to_delete(shop: Terminal) -> None:
    words = ["--weekly", "mon,thu@02:30", "--zone", "Europe/Berlin", "--keep-days", "30", "--keep-monthly", "12"]
    more = ["--jitter", "20", "--full-every", "7", "--note", "why"]
    said = shop.run("schedule", "add", "Nightly", *words, *more, "--dry-run")
    assert said.out.splitlines()[0] == (
        "Every Monday and Thursday at 02:30 (Europe/Berlin): back up everything to database. "
        "It begins up to 20 minutes later. One of 7 reads all rows again. "
        "Keep 30 days and 12 monthly, never fewer than 1 verified."
    )
    assert len(said.out.splitlines()) == 7
    assert "No schedules" in shop.run("schedule", "list").out

    added = shop.run("schedule", "add", "Nightly", *words, *more, "--json").json
    assert (added["policy"], added["full_every"]) == ({"days": 30, "monthly": 12, "floor": 1}, 7)
    coming = [datetime.fromisoformat(each).astimezone(ZoneInfo("Europe/Berlin")) for each in added["coming"]]
    assert [(each.weekday() in (0, 3), f"{each:%H:%M}") for each in coming] == [(True, "02:30")] * 5
    assert shop.run("schedule", "add", "Nightly", "--daily", "02:00").code == 3

    edited = shop.run("schedule", "edit", "Nightly", "--every", "6h", "--keep-last", "3", "--json").json
    assert (edited["when"], edited["zone"]) == ("Every 6 hours, on the hour", "Europe/Berlin")
    assert edited["policy"] == {"days": 30, "last": 3, "monthly": 12, "floor": 1}
    edited = shop.run("schedule", "edit", "Nightly", "--keep-everything", "--name", "Steady", "--json").json
    assert (edited["name"], edited["keeps"], edited["jitter_minutes"]) == ("Steady", "Keep everything", 20)

    assert shop.run("schedule", "pause", "Steady", "--json").json["active"] is False
    assert "paused" in shop.run("schedule", "list").out
    assert shop.run("schedule", "resume", "Steady", "--json").json["next_at"]
    job = shop.run("schedule", "run", "Steady", "--json").json
    assert (job["state"], job["kind"]) == ("queued", "backup")
    again = shop.run("schedule", "run", "Steady", "--json")
    assert (again.code, again.error["code"]) == (3, "busy")
    shown = shop.run("schedule", "show", "Steady", "--json").json
    assert (shown["is_running"], [run["state"] for run in shown["runs"]]) == (True, ["queued"])
    assert "Steady" in shop.run("schedule", "show", "Steady").out
    tried = shop.run("retention", "preview", "Steady", "--keep-last", "1", "--json").json
    assert (tried["keeps"], tried["backups"]) == ("Keep the last 1, never fewer than 1 verified", [])
    assert shop.run("schedule", "delete", "Steady").code == 3
    assert shop.run("schedule", "delete", "Steady", "--yes").code == 0
    assert shop.run("schedule", "show", "Steady").code == 4


def test_what_happened_is_told(shop: Terminal) -> None:
    shop.run("schedule", "add", "Nightly", "--daily", "02:00")
    told = shop.run("activity", "--kind", "schedule").out
    assert "Added the schedule Nightly" in told
    assert "1 line, page 1 of 1." in told
    (line,) = shop.run("activity", "--text", "nightly", "--outcome", "done", "--json").json["items"]
    assert (line["what"], line["door"]) == ("schedule.added", "console")
    assert shop.run("activity", "--kind", "weather").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--daily", "02:00", "--zone", "Mars/Olympus"),
        ("--daily", "02:00", "--groups", "Nothing like it"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_ends_with_2(shop: Terminal, arguments: tuple[str, ...]) -> None:
    outcome = shop.run("schedule", "add", "Nightly", *arguments, "--json")
    assert outcome.code == 2
    assert outcome.error["hint"]


def test_the_trash_is_emptied_after_a_question(shop: Terminal) -> None:
    assert shop.run("trash", "empty").out == "The trash is empty.\n"
    for name in ("One", "Two"):
        made = shop.run("backup", "create", "--name", name, "--json").json
        shop.run("backup", "delete", made["id"], "--yes")
    refused = shop.run("trash", "empty", "--json")
    assert (refused.code, refused.error["code"]) == (3, "refused")
    assert "2 backups" in shop.run("trash", "empty", "--yes").out
    assert shop.run("backup", "list", "--trash", "--json").json["total"] == 0
