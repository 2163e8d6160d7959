"""What the backups page makes of what operations say: the judgement, the rows, the shared look."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rxbackup.access.actor import Actor
from rxbackup.errors import DatabaseUnavailable
from rxbackup.operations.views import BackupView, ErrorView, GroupCount, JobView, PlaceView
from rxbackup.operations.views.alerts import AlertView, FreshnessView
from rxbackup.ui.pages.activity.rows import row_of_run
from rxbackup.ui.pages.backups.protection import judge, place_note
from rxbackup.ui.pages.backups.rows import run_row, tiles
from rxbackup.ui.pages.backups.watching import Facts, Shared, widest_of_late

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
SERVICES: Any = SimpleNamespace()
ADMIN = Actor("ada@example.com", "admin")


def backup(*, hours: float = 1, level: str | None = "decrypted") -> BackupView:
    return BackupView(
        id="b1",
        name="Nightly",
        description="",
        when=NOW - timedelta(hours=hours),
        created_by="ada@example.com",
        state="complete",
        rows=10,
        tables=1,
        raw_bytes=100,
        stored_bytes=10,
        seconds=1.0,
        pinned=False,
        verified_level=level,
        verified_at=NOW - timedelta(minutes=5) if level else None,
        store="database",
        trigger="manual",
        error=None,
        groups=("Assets",),
        job_id=None,
        segments_total=1,
        segments_read=1,
    )


def job(
    kind: str = "backup",
    state: str = "succeeded",
    *,
    minutes: float = 10,
    error: ErrorView | None = None,
    result: dict[str, Any] | None = None,
    **changes: Any,
) -> JobView:
    created = NOW - timedelta(minutes=minutes)
    values: dict[str, Any] = {
        "id": f"{kind}-{minutes}",
        "kind": kind,
        "actor": "ada@example.com",
        "state": state,
        "stage": "",
        "percent": None,
        "rows_done": 0,
        "rows_total": 0,
        "bytes_done": 0,
        "bytes_total": 0,
        "message": "",
        "error": error,
        "result": result or {},
        "created_at": created,
        "started_at": created,
        "finished_at": None if state in {"queued", "running"} else created + timedelta(seconds=4),
        "backup_id": "b1",
        "backup_name": "Nightly",
    }
    return JobView(**(values | changes))


FULL = ErrorView("store-full", "There is no space left in the store.", "Free some space.")


def facts(
    latest: BackupView | None,
    recent: tuple[JobView, ...] = (),
    active: tuple[JobView, ...] = (),
    groups: tuple[str, ...] = ("Assets",),
    fresh: tuple[FreshnessView, ...] = (),
    alerts: tuple[AlertView, ...] = (),
) -> Facts:
    counts = tuple(GroupCount(name, (f"public.{name.lower()}",), 1, estimated=False) for name in groups)
    return Facts(active=active, recent=recent, latest=latest, before=None, counts=counts, fresh=fresh, alerts=alerts)


def freshness(
    state: str = "ok", *, name: str = "", good: float = 1, proven: float | None = None, due: float | None = None
) -> FreshnessView:
    """How fresh backups are; hours ago, but for `due`, which are hours ahead."""
    return FreshnessView(
        name,
        name,
        state,
        NOW - timedelta(hours=good),
        NOW - timedelta(hours=proven) if proven is not None else None,
        NOW + timedelta(hours=due) if due is not None else None,
        None,
        f"{name} has brought no good backup." if state == "late" else "",
        "Europe/Berlin" if due is not None else "",
    )


def test_nothing_is_green_before_its_contents_were_opened() -> None:
    for level in (None, "stored", "readable"):
        judged = judge(facts(backup(level=level)), NOW)
        assert (judged.kind, judged.remedy) == ("stored", "check")
    for level in ("decrypted", "restored"):
        assert judge(facts(backup(level=level)), NOW).kind == "protected"


@pytest.mark.parametrize(("hours", "kind"), [(47, "protected"), (49, "attention"), (24 * 8, "risk")])
def test_protection_ages_where_no_schedule_promises_anything(hours: float, kind: str) -> None:
    fresh = (freshness("late" if hours > 48 else "ok", good=hours),)
    judged = judge(facts(backup(hours=hours), fresh=fresh), NOW)
    assert judged.kind == kind
    assert ("no schedule takes the next one" in judged.reason) == (kind != "protected")


@pytest.mark.parametrize(("hours", "kind"), [(3, "attention"), (49, "risk")])
def test_a_schedule_that_is_late_is_told_and_soon_a_risk(hours: float, kind: str) -> None:
    fresh = (freshness("late", good=hours), freshness(name="Weekly"), freshness("late", name="Hourly"))
    judged = judge(facts(backup(hours=hours), fresh=fresh), NOW)
    assert (judged.kind, judged.remedy, judged.reason) == (kind, "create", "Hourly has brought no good backup.")


def test_a_monthly_backup_that_is_in_time_is_no_risk() -> None:
    fresh = (freshness(good=24 * 20, due=24 * 10), freshness(name="Monthly"))
    judged = judge(facts(backup(hours=24 * 20), fresh=fresh), NOW)
    assert (judged.kind, judged.next_at, judged.next_zone) == (
        "protected",
        "2026-12-02T20:00:00+00:00",
        "Europe/Berlin",
    )


def test_a_backup_whose_parts_were_all_found_is_trusted_while_one_was_opened_lately() -> None:
    for proven, kind in ((24, "protected"), (24 * 9, "stored"), (None, "stored")):
        judged = judge(facts(backup(level="readable"), fresh=(freshness(proven=proven),)), NOW)
        assert (judged.kind, bool(judged.proven_at)) == (kind, proven is not None)
    assert judge(facts(backup(level="stored"), fresh=(freshness(proven=1),)), NOW).kind == "stored"
    assert judge(facts(backup(level="restored"), fresh=(freshness(proven=1),)), NOW).proven_at == ""


def test_the_sentence_is_not_green_while_something_critical_is_open() -> None:
    alert = AlertView("a", "radar", "", "Data may be lost: Nightly", "critical", "", "", (), {}, NOW, None, None)
    judged = judge(facts(backup(), alerts=(alert,)), NOW)
    assert (judged.kind, judged.remedy) == ("attention", "")
    assert judged.reason == "Data may be lost: Nightly."
    assert judge(facts(backup(), alerts=(replace(alert, severity="warning"),)), NOW).kind == "protected"


def test_newer_backups_of_some_groups_do_not_hide_how_old_the_last_whole_one_is() -> None:
    judged = judge(facts(backup(hours=24 * 5), fresh=(freshness(good=1), freshness(name="Hourly"))), NOW)
    assert (judged.kind, judged.reason) == ("attention", "Newer ones hold only some of the groups.")


def test_a_failure_after_the_last_good_backup_asks_for_attention_and_says_why() -> None:
    judged = judge(facts(backup(hours=2), (job(state="failed", error=FULL),)), NOW)
    assert judged.kind == "attention"
    assert "no space left" in judged.reason
    assert judged.remedy == "create"


def test_a_failure_before_the_last_good_backup_is_history() -> None:
    assert judge(facts(backup(hours=1), (job(state="failed", minutes=120, error=FULL),)), NOW).kind == "protected"


def test_a_cancelled_run_is_nobodys_failure() -> None:
    assert judge(facts(backup(), (job(state="cancelled"),)), NOW).kind == "protected"


def test_damage_puts_the_data_at_risk_until_a_later_check_is_clean() -> None:
    damaged = job("verify", minutes=20, result={"damaged": ["public.assets: a part is missing"]})
    clean = job("verify", minutes=10, result={"damaged": []})
    assert judge(facts(backup(), (damaged,)), NOW).kind == "risk"
    assert judge(facts(backup(), (clean, damaged)), NOW).kind == "protected"


def test_without_any_backup_it_is_the_first_start_or_a_risk() -> None:
    assert judge(facts(None), NOW).kind == "none"
    assert judge(facts(None, active=(job(state="running"),)), NOW).kind == "running"
    assert judge(facts(None, (job(state="failed", error=FULL),)), NOW).kind == "risk"


def test_a_backup_of_some_groups_does_not_protect_the_others() -> None:
    judged = judge(facts(backup(), groups=("Assets", "Issues")), NOW)
    assert (judged.kind, judged.remedy, judged.reason) == ("attention", "create", "It leaves out Issues.")


def test_the_last_good_backup_is_the_latest_that_holds_everything() -> None:
    whole = replace(backup(hours=2), id="whole", groups=("Assets", "Issues"))
    safety = replace(backup(hours=1), id="safety", groups=("Assets",))
    counts = facts(None, groups=("Assets", "Issues")).counts
    assert widest_of_late((safety, whole), counts) is whole
    assert widest_of_late((safety,), counts) is safety
    assert widest_of_late((), counts) is None


def test_a_running_backup_shows_pace_and_time_left() -> None:
    running = job(
        state="running",
        minutes=1,
        percent=40.4,
        rows_done=400,
        rows_total=1000,
        bytes_done=60_000_000,
        bytes_total=150_000_000,
    )
    row = run_row(running, NOW)
    assert (row.percent, row.pace) == (40, "1.0 MB/s · about 2 min left")
    assert row.title == "Backing up “Nightly”"


def test_a_waiting_run_promises_nothing() -> None:
    row = run_row(job(state="queued", started_at=None, percent=0.0), NOW)
    assert (row.stage, row.percent, row.pace) == ("Waiting for its turn", -1, "")


def test_a_failure_in_the_activity_carries_cause_hint_and_details() -> None:
    row = row_of_run(job(state="failed", error=FULL))
    assert (row.title, row.tone) == ("Backup failed:", "bad")
    assert (row.message, row.hint) == (FULL.message, FULL.hint)
    assert "store-full" in row.details


def test_damage_found_by_a_check_is_told_as_such() -> None:
    row = row_of_run(job("verify", result={"damaged": ["public.assets: 12 rows"]}))
    assert (row.title, row.tone, row.message) == ("Damage found in", "bad", "public.assets: 12 rows")


def test_tiles_compare_only_what_was_counted_exactly() -> None:
    counts = (
        GroupCount("Assets", ("public.assets",), 112, estimated=False),
        GroupCount("Issues", ("public.issues",), 2_000_000, estimated=True),
        GroupCount("New", ("public.new",), 3, estimated=False),
    )
    shown = {tile.name: tile for tile in tiles(counts, {"Assets": 100, "Issues": 1})}
    assert (shown["Assets"].compared, shown["Assets"].change) == (True, 12)
    assert not shown["Issues"].compared
    assert not shown["New"].compared
    assert not any(tile.compared for tile in tiles(counts, None))


def test_tiles_lead_to_the_rows_of_the_backup_that_holds_them() -> None:
    counts = (
        GroupCount("Assets", ("public.assets", "public.vendors"), 112, estimated=False),
        GroupCount("New", ("public.new",), 3, estimated=False),
    )
    assets, new = tiles(counts, {"Assets": 100}, "b1")
    assert (assets.inside, assets.changes) == ("/backups/b1/rows?table=public.assets", "/compare?a=b1")
    assert (new.inside, new.changes) == ("", "")
    assert tiles(counts, None)[0].inside == ""


def test_many_tabs_ask_once() -> None:
    asked: list[str] = []
    shared = Shared(lambda _services, actor: asked.append(actor.email), seconds=60)

    async def look() -> None:
        await asyncio.gather(*[shared.get(SERVICES, ADMIN) for _ in range(20)])

    asyncio.run(look())
    assert asked == ["ada@example.com"]


def test_one_roles_answer_is_not_handed_to_another() -> None:
    shared = Shared(lambda _services, actor: actor.role, seconds=60)

    async def look() -> list[str]:
        return [await shared.get(SERVICES, ADMIN), await shared.get(SERVICES, Actor("vic@example.com", "viewer"))]

    assert asyncio.run(look()) == ["admin", "viewer"]


def test_a_failure_is_shared_too() -> None:
    asked: list[int] = []

    def fail(_services: object, _actor: object) -> None:
        asked.append(1)
        raise DatabaseUnavailable

    shared = Shared(fail, seconds=60)

    async def look() -> int:
        answers = await asyncio.gather(*[shared.get(SERVICES, ADMIN) for _ in range(5)], return_exceptions=True)
        return sum(isinstance(answer, DatabaseUnavailable) for answer in answers)

    assert asyncio.run(look()) == 5
    assert len(asked) == 1


def test_what_must_wait_does_not_keep_the_rest_waiting() -> None:
    async def look() -> tuple[int | None, int | None]:
        release = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(_services: object, _actor: object) -> int:
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(5)
            return 7

        shared = Shared(slow, seconds=60)
        first = await shared.get_or_last(SERVICES, ADMIN, patience=0.01)
        release.set()
        return first, await shared.get_or_last(SERVICES, ADMIN, patience=5)

    assert asyncio.run(look()) == (None, 7)


def test_the_loss_of_the_server_is_warned_of_until_a_whole_copy_rests_elsewhere() -> None:
    here = PlaceView("database", "database", "complete", same_server=True)
    there = PlaceView("bucket", "s3", "complete", same_server=False)
    assert "does not survive" in place_note(replace(backup(), places=(here,)))
    assert "does not survive" in place_note(replace(backup(), places=(here, replace(there, state="running"))))
    assert place_note(replace(backup(), places=(here, there))) == ""
    assert place_note(None) == ""
