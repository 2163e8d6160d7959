"""axe finds nothing to complain of in any step of a restore, in both colour modes, on desk and phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Admin, give_cookies
from tests.support.axe import violations
from tests.support.backups_page import create, database, open_page, row_of
from tests.support.restore_page import begin, confirm, expect_preview, go_on, result
from tests.support.running_app import RunningApp

NAME = "Walked through by axe"


@pytest.fixture(params=["light", "dark"])
def tab(request: pytest.FixtureRequest, browser: Browser, app: RunningApp, admin: Admin) -> Iterator[Page]:
    answer = app.post("/auth/sign-in", {"email": admin.email, "password": admin.password})
    context = browser.new_context(base_url=app.url, color_scheme=request.param, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    give_cookies(context, app, answer.cookies)
    page = open_page(context.new_page())
    page.wait_for_timeout(1000)
    if row_of(page, NAME).count() == 0:
        create(page, NAME, groups=("Departments", "Notifications"))
    yield page
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_in_any_step(tab: Page, app: RunningApp, width: int) -> None:
    with database(app) as connection:
        connection.execute("UPDATE public.departments SET name = name || '.'")
        connection.execute("DELETE FROM public.notifications WHERE id IN (SELECT id FROM public.notifications LIMIT 3)")
    tab.set_viewport_size({"width": width, "height": 900})
    found: dict[str, list[str]] = {}

    def look(place: str) -> None:
        tab.wait_for_timeout(300)  # colours fade in
        found[place] = violations(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, place

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
