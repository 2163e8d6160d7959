"""Looking inside a backup and comparing, as a person does it: by mouse, by keyboard, on desk and phone."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from rxbackup.ui.wording import number
from tests.e2e.conftest import width_of
from tests.support.axe import violations
from tests.support.backups_page import PATIENCE_MS, choose, database, open_page, provide
from tests.support.running_app import RunningApp

NAME = "Before the looking"
TABLE = "public.departments"


@pytest.fixture
def backups_page(signed_in_page: Page) -> Page:
    """Backup Management, with one backup to look into."""
    provide(signed_in_page, NAME)
    return signed_in_page


def rows_of(page: Page) -> Locator:
    """The rows that are shown, without the heading."""
    return page.get_by_role("table", name="Rows of the backup").get_by_role("row").filter(has=page.get_by_role("cell"))


def look_into(page: Page, table: str) -> None:
    """From the list of backups to the rows of a table."""
    choose(page, NAME, "Look inside")
    expect(page.get_by_role("heading", level=1, name="Look inside")).to_be_visible()
    page.get_by_role("navigation", name="Tables of the backup").get_by_role("link", name=table).click()
    expect(rows_of(page).first).to_be_visible(timeout=PATIENCE_MS)


def compare_now(page: Page) -> None:
    """From the list of backups to what became of it since."""
    choose(page, NAME, "Compare")
    expect(page.get_by_role("heading", level=1, name="Compare")).to_be_visible()
    expect(page.get_by_label("After", exact=True)).to_have_value("now")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("button", name="Compare again")).to_be_visible(timeout=PATIENCE_MS)


def test_rows_that_are_gone_are_found_again(backups_page: Page, app: RunningApp, tmp_path: Path) -> None:
    page = backups_page
    with database(app) as connection:
        (found,) = connection.execute("SELECT id, name FROM departments ORDER BY id LIMIT 1").fetchall()
        (count,) = connection.execute("SELECT count(*) FROM departments").fetchone() or (0,)
    look_into(page, TABLE)
    expect(rows_of(page)).to_have_count(min(int(str(count)), 50))
    expect(page.get_by_text(f"Rows 1–{min(int(str(count)), 50)} of {count}")).to_be_visible()

    form = page.get_by_role("search", name="Filter rows")
    form.get_by_label("Column").select_option("name")
    form.get_by_label("Condition").select_option("contains")
    form.get_by_label("Value").fill(str(found[1]).upper())
    form.get_by_label("Value").press("Enter")
    expect(rows_of(page)).to_have_count(1, timeout=PATIENCE_MS)
    expect(rows_of(page).first).to_contain_text(str(found[1]))
    expect(page.get_by_text(f"1 row found in all {count}")).to_be_visible()
    assert "where=name~" in page.url.replace("%7E", "~")

    page.reload()
    expect(rows_of(page)).to_have_count(1, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Row 1").click()
    expect(page.get_by_role("definition").filter(has_text=str(found[1]))).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    target = tmp_path / download.value.suggested_filename
    download.value.save_as(target)
    with target.open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [found[1]]
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    download.value.save_as(target)
    assert [row["id"] for row in json.loads(target.read_text())] == [found[0]]

    page.get_by_role("button", name="Remove this condition").click()
    expect(rows_of(page)).to_have_count(min(int(str(count)), 50), timeout=PATIENCE_MS)


def test_tables_are_found_by_name_and_pages_turned(backups_page: Page, app: RunningApp) -> None:
    page = backups_page
    with database(app) as connection:
        (count,) = connection.execute("SELECT count(*) FROM assets").fetchone() or (0,)
    assert int(str(count)) > 50
    choose(page, NAME, "Look inside")
    tables = page.get_by_role("navigation", name="Tables of the backup")
    expect(tables.get_by_role("link", name=TABLE)).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Find a table")).to_be_focused()
    page.keyboard.type("asset")
    expect(tables.get_by_role("link", name=TABLE)).to_be_hidden()
    tables.get_by_role("link", name="public.assets", exact=False).first.click()
    expect(page.get_by_text(f"Rows 1–50 of {number(int(str(count)))}")).to_be_visible(timeout=PATIENCE_MS)
    first = rows_of(page).first.inner_text()
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_role("button", name="Row 51", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Previous page").click()
    expect(rows_of(page).first).to_have_text(first, use_inner_text=True, timeout=PATIENCE_MS)


def test_what_changed_since_is_told_row_by_row(backups_page: Page, app: RunningApp) -> None:
    page = backups_page
    with database(app) as connection:
        connection.execute("INSERT INTO departments (name, code) VALUES ('Looked at since', 'LAS')")
        connection.execute("UPDATE assets SET name = 'Renamed since' WHERE id = (SELECT min(id) FROM assets)")
        connection.commit()
    compare_now(page)
    table = page.get_by_role("table", name="What differs, by table")
    expect(table.get_by_role("row").filter(has_text=TABLE)).to_contain_text("1")
    page.get_by_role("button", name="public.assets").click()
    rows = page.get_by_role("list", name="Rows of public.assets that differ").get_by_role("listitem")
    changed = rows.filter(has_text="Renamed since")
    expect(changed).to_contain_text("Changed", timeout=PATIENCE_MS)
    assert changed.get_by_role("insertion").filter(has_text="Renamed since").count() == 1
    page.get_by_role("button", name="Removed", exact=True).click()
    expect(page.get_by_text("No such row")).to_be_visible(timeout=PATIENCE_MS)

    page.reload()
    expect(page.get_by_role("button", name="Compare again")).to_be_visible(timeout=PATIENCE_MS)
    with database(app) as connection:
        connection.execute("DELETE FROM departments WHERE name = 'Looked at since'")
        connection.commit()
    page.get_by_role("button", name="Compare again").click()
    expect(table.get_by_role("row").filter(has_text=TABLE)).to_be_hidden(timeout=PATIENCE_MS)


def test_two_backups_are_compared_by_keyboard_alone(backups_page: Page) -> None:
    page = backups_page
    provide(page, "After the looking")
    page.goto("/compare")
    before = page.get_by_label("Before", exact=True)
    expect(before).to_be_visible()
    names = before.locator("option").all_inner_texts()
    before.focus()
    before.select_option(next(name for name in names if name.startswith(NAME)))
    expect(page).to_have_url(re.compile("a="))
    after = page.get_by_label("After", exact=True)
    after.select_option(next(name for name in names if name.startswith("After the looking")))
    expect(page.get_by_role("button", name="Swap both sides")).to_be_enabled()
    button = page.get_by_role("button", name="Compare", exact=True).or_(
        page.get_by_role("button", name="Compare again")
    )
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Compare again")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("had to be opened")).to_be_visible()


def test_axe_finds_nothing(tab: Page, app: RunningApp) -> None:
    provide(tab, NAME)
    found = {}
    choose(tab, NAME, "Look inside")
    expect(tab.get_by_text("Choose a table")).to_be_visible()
    tab.wait_for_timeout(300)  # colours fade in
    found["tables"] = violations(tab)
    tab.get_by_role("navigation", name="Tables of the backup").get_by_role("link", name=TABLE).click()
    expect(rows_of(tab).first).to_be_visible(timeout=PATIENCE_MS)
    tab.get_by_role("button", name="Row 1", exact=True).click()
    expect(tab.get_by_role("definition").first).to_be_visible()
    found["rows"] = violations(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width_of(tab)
    with database(app) as connection:
        connection.execute("UPDATE departments SET name = name || '.' WHERE id = (SELECT min(id) FROM departments)")
        connection.commit()
    open_page(tab)
    choose(tab, NAME, "Compare")
    expect(tab.get_by_label("Before", exact=True)).to_be_visible()
    tab.get_by_role("button", name="Compare", exact=True).or_(tab.get_by_role("button", name="Compare again")).click()
    expect(tab.get_by_role("table", name="What differs, by table")).to_be_visible(timeout=PATIENCE_MS)
    tab.get_by_role("button", name=TABLE).click()
    expect(tab.get_by_role("list", name=f"Rows of {TABLE} that differ")).to_be_visible(timeout=PATIENCE_MS)
    found["compared"] = violations(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width_of(tab)
    assert {place: lines for place, lines in found.items() if lines} == {}
