"""axe finds nothing to complain of in any step of a restore, in light on a desk and in dark on a phone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import width_of
from tests.support.axe import violations
from tests.support.backups_page import database, provide
from tests.support.restore_page import begin, confirm, expect_preview, go_on, result
from tests.support.running_app import RunningApp

NAME = "Walked through by axe"


def test_axe_finds_nothing_in_any_step(tab: Page, app: RunningApp) -> None:
    provide(tab, NAME, groups=("Departments", "Notifications"))
    with database(app) as connection:
        connection.execute("UPDATE public.departments SET name = name || '.'")
        connection.execute("DELETE FROM public.notifications WHERE id IN (SELECT id FROM public.notifications LIMIT 3)")
    found: dict[str, list[str]] = {}

    def look(place: str) -> None:
        tab.wait_for_timeout(300)  # colours fade in
        found[place] = violations(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width_of(tab), place

    begin(tab, NAME)
    tab.get_by_role("button", name="Tables of Departments").click()
    expect(tab.get_by_role("checkbox", name="public.departments")).to_be_visible()
    look("what")
    go_on(tab, "how")
    look("how")
    go_on(tab, "preview")
    expect_preview(tab, "3 rows added")
    tab.get_by_role("button", name="public.departments").click()
    expect(tab.get_by_text("as PostgreSQL writes them")).to_be_visible()
    look("preview")
    go_on(tab, "confirm")
    look("confirm")
    tab.get_by_role("button", name="Back").click()
    confirm(tab, NAME, "Restore 2 groups")
    result(tab)
    look("result")
    assert {place: lines for place, lines in found.items() if lines} == {}
