"""The overview: a first start, charts and their tables, an alert that was expected; axe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import PASSWORD, Admin, give_cookies
from tests.support.axe import violations
from tests.support.backups_page import PATIENCE_MS, create, database, open_page
from tests.support.running_app import RunningApp

DAYS = 30
SEEDED = {3: (2, 1), 5: (0, 4), 20: (7, 0)}
"""Days ago → backups that were good, and that failed."""
SIZES = {4: 12_300_000, 3: 45_600_000, 1: 78_900_000}
"""Days ago → bytes in the store `local`; nobody measured two days ago."""


@contextmanager
def system_tables(app: RunningApp) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """rxbackup's own tables, as the app itself."""
    with database(app) as connection:
        connection.execute("SET rxbackup.actor = 'system'")
        yield connection
        connection.commit()


def open_overview(page: Page) -> Page:
    """The overview, alive: its counts are there."""
    page.goto("/overview")
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(page.get_by_text("Departments").first).to_be_visible()
    return page


def safety(page: Page) -> Locator:
    """The card with the sentence."""
    return page.get_by_role("region", name="How safe the data is")


def chart(page: Page, name: str) -> Locator:
    """One chart, or its table."""
    return page.get_by_role("region", name=name, exact=True)


def seed_history(app: RunningApp) -> None:
    """Runs and sizes of days that are over."""
    run = """
    INSERT INTO rxbackup.jobs (kind, actor, state, created_at, started_at, finished_at)
    SELECT 'backup', 'ada@example.com', %s, at, at, at + interval '4 s'
    FROM generate_series(1, %s), (SELECT now() - make_interval(days => %s) AS at) AS moment
    """
    size = """
    INSERT INTO rxbackup.store_sizes (store, day, stored_bytes, backups)
    VALUES ('local', (now() AT TIME ZONE 'UTC')::date - %s, %s, 1) ON CONFLICT DO NOTHING
    """
    with system_tables(app) as tables:
        if tables.execute(
            "SELECT 1 FROM rxbackup.store_sizes WHERE stored_bytes = ANY(%s)", [[*SIZES.values()]]
        ).fetchone():
            return
        for ago, (good, bad) in SEEDED.items():
            tables.execute(run, ("succeeded", good, ago))
            tables.execute(run, ("failed", bad, ago))
        for ago, held in SIZES.items():
            tables.execute(size, (ago, held))


def seed_alert(app: RunningApp) -> str:
    """An alert about lost rows, as the radar raises it; the id of the backup that it pinned."""
    with system_tables(app) as tables:
        found = tables.execute(
            "UPDATE rxbackup.backups SET pinned = true WHERE id = (SELECT id FROM rxbackup.backups "
            "WHERE state = 'complete' AND NOT pinned AND trashed_at IS NULL ORDER BY timestamp LIMIT 1) "
            "RETURNING id::text"
        ).fetchone()
        assert found
        details = {"title": "Nightly", "backup": found[0], "last_good": found[0], "pinned": True}
        details |= {"facts": [["Last good", "Monday"], ["public.assets", "is empty, had 5 000 rows"]]}
        tables.execute(
            "INSERT INTO rxbackup.alerts (kind, severity, message, hint, details, reminded_at) "
            "VALUES ('radar', 'critical', 'public.assets looks as if data had been lost.', 'Compare.', %s, now())",
            [json.dumps(details)],
        )
        return str(found[0])


@pytest.fixture
def told(app: RunningApp, signed_in_page: Page) -> Iterator[Page]:
    """An overview that has something to say; no alert is left behind."""
    seed_history(app)
    with system_tables(app) as tables:
        none = (
            tables.execute(
                "SELECT 1 FROM rxbackup.backups WHERE state = 'complete' AND NOT pinned AND trashed_at IS NULL"
            ).fetchone()
            is None
        )
    if none:
        create(open_page(signed_in_page), "Told of on the overview", groups=("Departments",))
    yield signed_in_page
    with system_tables(app) as tables:
        tables.execute(
            "WITH gone AS (DELETE FROM rxbackup.alerts WHERE message LIKE 'public.assets looks%' RETURNING details) "
            "UPDATE rxbackup.backups SET pinned = false WHERE id::text IN (SELECT details->>'last_good' FROM gone)"
        )


def test_a_first_start_takes_three_steps_that_tick_themselves_off(fresh_app: RunningApp, browser: Browser) -> None:
    account = {"token": fresh_app.setup_token, "email": "ada@example.com", "password": PASSWORD}
    answer = fresh_app.post("/auth/setup", account)
    context = browser.new_context(base_url=fresh_app.url, locale="en-GB", timezone_id="Europe/Berlin")
    give_cookies(context, fresh_app, answer.cookies)
    page = context.new_page()
    page.goto("/")
    page.wait_for_url("**/overview")
    steps = page.get_by_role("region", name="Three steps to safe data")
    here = steps.locator("[aria-current=step]")
    expect(here).to_contain_text("Take the first backup")
    expect(page.get_by_text("Departments")).to_be_visible()
    # Instead of all else: nothing is said about safety, and no empty chart stands about.
    expect(safety(page)).to_be_hidden()
    expect(page.get_by_role("heading", name="How it went lately")).to_be_hidden()
    page.wait_for_timeout(300)
    assert violations(page) == []

    page.keyboard.press("c")
    page.get_by_role("dialog", name="Create Backup").get_by_role("button", name="Create Backup").click()
    expect(here).to_contain_text("Let it happen by itself", timeout=PATIENCE_MS)
    expect(safety(page)).to_contain_text("Backed up. Last good backup just now.")
    expect(page.get_by_role("slider", name="Backups by day")).to_have_attribute(
        "aria-valuetext", re.compile("1 succeeded, 0 failed")
    )

    steps.get_by_role("button", name="Add a schedule").click()
    dialog = page.get_by_role("dialog", name="Add schedule")
    expect(dialog.get_by_role("status").first).to_contain_text("back up")
    dialog.get_by_role("button", name="Add schedule").click()
    expect(here).to_contain_text("Let somebody be told")
    expect(safety(page)).to_contain_text(re.compile(r"Next one .*02:00 (CET|GMT\+1)"))
    expect(here.get_by_role("link", name="Choose who is told")).to_have_attribute("href", "/notifications")

    with system_tables(fresh_app) as tables:
        tables.execute(
            "INSERT INTO rxbackup.channels (name, kind, events, created_by) "
            "VALUES ('people', 'heartbeat', '[\"success\"]', 'ada@example.com')"
        )
    expect(steps).to_be_hidden(timeout=PATIENCE_MS)
    expect(safety(page)).to_be_visible()
    context.close()


def test_each_chart_says_by_keyboard_what_its_table_says(told: Page) -> None:
    page = open_overview(told)
    runs = chart(page, "Backups by day")
    plot = runs.get_by_role("slider")
    plot.focus()
    page.keyboard.press("Home")
    words = []
    for _ in range(DAYS):
        words.append(plot.get_attribute("aria-valuetext") or "")
        page.keyboard.press("ArrowRight")
    by_day = {day: text for day, _, text in (one.partition(": ") for one in words) if text != "no backup"}
    assert len(words) - len(set(words)) == 0
    assert sum("2 succeeded, 1 failed" in text for text in by_day.values()) == 1
    assert sum("0 succeeded, 4 failed" in text for text in by_day.values()) == 1
    assert runs.locator(".rx-bar-bad:not(.rx-swatch)").count() >= 2

    runs.get_by_role("button", name="Show as table").click()
    rows = [[cell.inner_text() for cell in row.locator("th, td").all()] for row in runs.locator("tbody tr").all()]
    assert len(rows) == len(by_day)
    for day, good, bad, took in rows:
        said = by_day[re.sub(r" \d{4}$", "", day.replace(",", ""))]
        assert said.startswith(f"{good} succeeded, {bad} failed")
        assert took == "–" or took in said
    total, of = re.findall(r"\d+", page.get_by_text(re.compile(r"\d+ of \d+ backups")).inner_text())
    assert (int(total), int(of)) == (sum(int(row[1]) for row in rows), sum(int(row[1]) + int(row[2]) for row in rows))

    stores = chart(page, "Held by each store")
    plot = stores.get_by_role("slider")
    plot.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert "local 78.9 MB" in (plot.get_attribute("aria-valuetext") or "")
    page.keyboard.press("ArrowLeft")
    assert "local not measured" in (plot.get_attribute("aria-valuetext") or "")
    stores.get_by_role("button", name="Show as table").click()
    table = stores.get_by_role("table")
    for held in ("12.3 MB", "45.6 MB", "78.9 MB"):
        expect(table.get_by_role("cell", name=held)).to_be_visible()
    stores.get_by_role("button", name="Show as chart").click()
    expect(stores.get_by_role("slider")).to_be_visible()


def test_an_alert_that_was_expected_is_over_and_lets_go_what_it_held(told: Page, app: RunningApp, admin: Admin) -> None:
    pinned = seed_alert(app)
    page = open_overview(told)
    alert = page.get_by_role("article", name="Data may be lost: Nightly")
    expect(alert).to_contain_text("Critical")
    expect(alert.get_by_role("link", name="Compare the two backups")).to_have_attribute(
        "href", f"/compare?a={pinned}&b={pinned}"
    )
    expect(alert).to_contain_text("Lets schedules remove old backups again and unpins “Monday”.")
    # However good the backups are: that is not all there is to say.
    expect(safety(page)).to_contain_text(re.compile("Attention|At risk"))
    alert.get_by_text("Details").click()
    expect(alert.get_by_text("is empty, had 5 000 rows")).to_be_visible()
    alert.get_by_role("button", name="This was expected").press("Enter")
    expect(alert).to_be_hidden()
    expect(page.locator("#main")).to_be_focused()
    with system_tables(app) as tables:
        ended = tables.execute("SELECT solved_by FROM rxbackup.alerts WHERE kind = 'radar' AND about = ''").fetchone()
        held = tables.execute("SELECT pinned FROM rxbackup.backups WHERE id = %s", [pinned]).fetchone()
    assert (ended, held) == ((admin.email,), (False,))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing(told: Page, app: RunningApp, scheme: str, width: int) -> None:
    seed_alert(app)
    told.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    told.set_viewport_size({"width": width, "height": 900})
    page = open_overview(told)
    expect(page.get_by_role("slider").first).to_be_visible()
    expect(page.get_by_role("article", name="Data may be lost: Nightly")).to_be_visible()
    page.wait_for_timeout(300)  # colours fade in
    assert violations(page) == []
    for name in ("Backups by day", "Held by each store"):
        chart(page, name).get_by_role("button", name="Show as table").click()
    page.wait_for_timeout(300)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
