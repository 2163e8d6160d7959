"""Activity: what happened is found by kind, outcome, person and words; pages stand still; links lead on; axe."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Admin, give_cookies
from tests.support.axe import violations
from tests.support.backups_page import create, open_page
from tests.support.running_app import RunningApp


def open_activity(page: Page, query: str = "") -> Locator:
    """The page of activity, alive; its list."""
    page.goto(f"/activity{query}")
    expect(page.get_by_role("heading", level=1, name="Activity")).to_be_visible()
    lines = page.get_by_role("list", name="Activity", exact=True)
    expect(lines.get_by_role("listitem").first).to_be_visible()
    return lines


def look_often(page: Page, backup: str, times: int) -> None:
    """Look at rows of a backup: each look is a line."""
    for _ in range(times):
        address = f"/api/v1/backups/{backup}/rows"
        assert page.request.get(address, params={"table": "public.departments", "limit": 1}).ok


def test_what_happened_is_found_again(signed_in_page: Page, app: RunningApp, admin: Admin) -> None:
    page = open_page(signed_in_page)
    create(page, "Told of", groups=("Departments",))
    app.post("/auth/sign-in", {"email": "eve@example.com", "password": "open sesame, please"})
    page.get_by_role("link", name="All activity").click()
    lines = page.get_by_role("list", name="Activity", exact=True)
    told = lines.get_by_role("listitem").filter(has_text="Told of")
    expect(told).to_have_text(re.compile(r"Backed up Told of.*ada@example\.com · took"))
    expect(lines).to_contain_text("Sign-in failed")

    page.get_by_role("combobox", name="Outcome").select_option("Failed")
    expect(told).to_be_hidden()
    expect(lines).to_contain_text("eve@example.com")
    page.get_by_role("combobox", name="Kind").select_option("Backups")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(told).to_be_visible()

    page.keyboard.press("/")
    page.keyboard.type("told OF")
    page.get_by_role("combobox", name="Person").select_option("ada@example.com")
    expect(page).to_have_url(re.compile(r"\?q=told\+OF&by=ada%40example.com$"))
    expect(lines.get_by_role("listitem")).to_have_count(1)
    page.reload()
    expect(lines.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_label("Filter activity")).to_have_value("told OF")
    expect(page.get_by_role("combobox", name="Person")).to_have_value("ada@example.com")
    told.get_by_role("link", name="Told of").click()
    expect(page.get_by_role("heading", level=1, name="Told of")).to_be_visible()

    backup = page.url.rpartition("/")[2]
    look_often(page, backup, 55)
    lines = open_activity(page, "?kind=look")
    expect(lines.get_by_role("listitem")).to_have_count(50)
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text(re.compile("Page 2 of"))).to_be_visible()
    on_second = lines.get_by_role("listitem").count()
    look_often(page, backup, 3)
    page.wait_for_timeout(4000)
    expect(lines.get_by_role("listitem")).to_have_count(on_second)
    page.get_by_role("button", name="Previous page").click()
    expect(page.get_by_text(re.compile(rf"{50 + on_second + 3} lines"))).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing(browser: Browser, app: RunningApp, admin: Admin, scheme: str, width: int) -> None:
    answer = app.post("/auth/sign-in", {"email": admin.email, "password": admin.password})
    context = browser.new_context(
        base_url=app.url,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        viewport={"width": width, "height": 900},
    )
    give_cookies(context, app, answer.cookies)
    page = context.new_page()
    open_activity(page)
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Activity")).to_be_in_viewport(ratio=1)
    found = {}
    for place, query in (("list", ""), ("nothing", "?q=zzz")):
        page.goto(f"/activity{query}")
        expect(page.get_by_text("Nothing matches" if query else "Signed in").first).to_be_visible()
        page.wait_for_timeout(300)  # colours fade in
        found[place] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert {place: lines for place, lines in found.items() if lines} == {}
