"""Schedules: add, edit, pause, resume, run now, delete; what is said while one chooses; what would stay and go."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import give_cookies, width_of
from tests.support.axe import violations
from tests.support.backups_page import PATIENCE_MS, open_page
from tests.support.running_app import RunningApp


def open_schedules(page: Page) -> Page:
    """The page of schedules, alive: it knows whether there are any."""
    page.goto("/schedules")
    expect(page.get_by_role("heading", level=1, name="Schedules")).to_be_visible()
    expect(page.get_by_role("article").or_(page.get_by_text("No schedule yet")).first).to_be_visible()
    return page


def card(page: Page, name: str) -> Locator:
    """The card of one schedule."""
    return page.get_by_role("article", name=name, exact=True)


def form(page: Page) -> Locator:
    """The dialog in which a schedule is filled in, once it has said something about it."""
    dialog = page.get_by_role("dialog", name=re.compile("Add schedule|Edit"))
    expect(dialog.get_by_role("status").first).to_contain_text("back up")
    return dialog


def add(page: Page, name: str) -> Locator:
    """Add a schedule of some groups with as little as possible; its card."""
    page.get_by_role("button", name="Add schedule").first.click()
    dialog = form(page)
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("radio", name="Some groups").check()
    dialog.get_by_role("checkbox", name=re.compile("Departments")).check()
    dialog.get_by_role("button", name="Everything", exact=True).click()
    dialog.get_by_role("button", name="Add schedule").click()
    expect(dialog).to_be_hidden()
    expect(card(page, name)).to_be_visible()
    return card(page, name)


def tend(page: Page, name: str, action: str) -> None:
    """Choose an action from the ⋯ menu of a schedule."""
    card(page, name).get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name=action).click()


def run(page: Page, name: str, *, backups: int) -> None:
    """Run it now and wait until it has so many backups."""
    button = page.get_by_role("button", name=f"Run now: {name}")
    button.click()
    expect(card(page, name)).to_contain_text(re.compile(rf"Its backups\s*{backups}"), timeout=PATIENCE_MS)
    expect(button).to_be_enabled()


def test_a_sensible_first_schedule_is_offered_and_the_sentence_follows_every_choice(
    fresh_app: RunningApp, browser: Browser
) -> None:
    token = {"token": fresh_app.setup_token, "email": "ada@example.com", "password": "violet kettle marches north"}
    answer = fresh_app.post("/auth/setup", token)
    context = browser.new_context(base_url=fresh_app.url, locale="en-GB", timezone_id="Europe/Berlin")
    give_cookies(context, fresh_app, answer.cookies)
    page = open_schedules(context.new_page())
    page.get_by_role("button", name="Begin with that").click()
    dialog = form(page)
    told, coming = (
        dialog.get_by_role("status").first,
        dialog.get_by_role("list", name="Next runs").get_by_role("listitem"),
    )
    expect(told).to_contain_text("Every day at 02:00 (Europe/Berlin): back up everything to")
    expect(told).to_contain_text("Keep 14 daily, 8 weekly and 12 monthly, never fewer than 3 verified.")
    expect(coming).to_have_count(5)
    expect(coming.first).not_to_contain_text("for you")
    dialog.get_by_role("radio", name="Every week").check()
    dialog.get_by_role("checkbox", name="Thursday").check()
    dialog.get_by_label("At", exact=True).fill("23:30")
    expect(told).to_contain_text("Every Monday and Thursday at 23:30")
    zone = dialog.get_by_role("combobox", name="Time zone")
    zone.fill("tokyo")
    page.keyboard.press("Enter")
    expect(zone).to_have_value("Asia/Tokyo")
    expect(told).to_contain_text("(Asia/Tokyo)")
    expect(coming.first).to_contain_text("23:30")
    expect(coming.first).to_contain_text(re.compile("15:30 .*for you"))
    dialog.get_by_role("radio", name="Every month").check()
    dialog.get_by_role("checkbox", name="Last day").check()
    expect(told).to_contain_text("On the 1st and last day of every month")
    dialog.get_by_role("checkbox", name="1", exact=True).uncheck()
    dialog.get_by_role("checkbox", name="Last day").uncheck()
    expect(told).to_contain_text("No day is chosen.")
    expect(coming).to_have_count(0)
    dialog.get_by_role("button", name="Add schedule").click()
    expect(dialog.get_by_role("alert")).to_contain_text("No day is chosen.")
    dialog.get_by_role("radio", name="Cron").check()
    dialog.get_by_label("Cron expression").fill("15 3 * * 0")
    expect(told).to_contain_text("15 3 * * 0")
    dialog.get_by_role("radio", name="Every day").check()
    dialog.get_by_role("button", name="All of 30 days").click()
    expect(dialog.get_by_label("All of the last")).to_have_value("30")
    expect(dialog.get_by_label("One a day, for")).to_have_value("")
    expect(told).to_contain_text("Keep 30 days, never fewer than 3 verified.")
    expect(dialog).to_contain_text("In a year it holds about 3")
    dialog.get_by_role("button", name="Add schedule").click()
    expect(dialog).to_be_hidden()
    expect(card(page, "Nightly")).to_contain_text("Every day at 23:30 (Asia/Tokyo)")
    expect(card(page, "Nightly")).to_contain_text("Not run yet")
    context.close()


def test_a_schedule_is_run_and_its_run_is_told(signed_in_page: Page) -> None:
    page = open_schedules(signed_in_page)
    add(page, "By hand")
    run(page, "By hand", backups=1)
    # What became of it is written down once a minute.
    expect(card(page, "By hand")).to_contain_text("On time", timeout=2 * PATIENCE_MS)
    page.get_by_role("button", name="Last runs of By hand").click()
    runs = page.get_by_role("list", name="Its last runs").get_by_role("listitem")
    expect(runs).to_have_count(1)
    expect(runs.first).to_contain_text("Done")
    expect(runs.first).to_contain_text("asked for by ada@example.com")
    runs.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("By hand")


def test_a_schedule_rests_and_goes_on_with_its_settings(signed_in_page: Page) -> None:
    page = open_schedules(signed_in_page)
    add(page, "To rest")
    expect(card(page, "To rest")).to_contain_text(re.compile(r"Next run\s*(in|tomorrow)"))
    before = card(page, "To rest").locator("p").first.inner_text()
    tend(page, "To rest", "Pause")
    expect(card(page, "To rest")).to_contain_text("Paused")
    expect(card(page, "To rest")).to_contain_text("Not while it is paused")
    page.reload()
    tend(page, "To rest", "Resume")
    expect(card(page, "To rest")).to_contain_text("Not run yet")
    assert card(page, "To rest").locator("p").first.inner_text() == before


def test_what_a_changed_rule_would_remove_is_shown_before_it_is_saved(signed_in_page: Page) -> None:
    page = open_schedules(signed_in_page)
    add(page, "Thinned")
    run(page, "Thinned", backups=1)
    page.wait_for_timeout(1100)
    run(page, "Thinned", backups=2)
    tend(page, "Thinned", "Edit")
    dialog = form(page)
    expect(dialog.get_by_label("Name")).to_have_value("Thinned")
    expect(dialog.get_by_role("checkbox", name=re.compile("Departments"))).to_be_checked()
    expect(dialog).to_contain_text(re.compile(r"2 stay\.\s*None goes\."))
    dialog.get_by_label("The newest").fill("1")
    expect(dialog).to_contain_text(re.compile(r"1 stays\.\s*1 goes to the trash"))
    dialog.get_by_role("button", name="Show each of them").click()
    lines = dialog.get_by_role("list", name="What stays and what goes").get_by_role("listitem")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("Stays")
    expect(lines.first).to_contain_text("The newest")
    expect(lines.last).to_contain_text("Goes")
    dialog.get_by_role("button", name="Go 1").click()
    expect(lines).to_have_count(1)
    dialog.get_by_role("button", name="Cancel").click()
    tend(page, "Thinned", "What stays, and why")
    dialog = page.get_by_role("dialog", name="What stays, and why")
    expect(dialog).to_contain_text("Keep everything")
    expect(dialog.get_by_role("listitem").first).to_contain_text("This schedule keeps everything")
    dialog.get_by_role("button", name="Close").click()
    tend(page, "Thinned", "Edit")
    dialog = form(page)
    dialog.get_by_label("The newest").fill("1")
    dialog.get_by_label("Name").fill("Thinned out")
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog).to_be_hidden()
    expect(card(page, "Thinned out")).to_contain_text("Keep the last 1, never fewer than 1 verified.")


def test_a_deleted_schedule_leaves_its_backups(signed_in_page: Page) -> None:
    page = open_schedules(signed_in_page)
    add(page, "To go")
    run(page, "To go", backups=1)
    open_page(page)
    by = page.get_by_role("row").filter(has_text="To go").first.locator("[data-label=By]")
    expect(by).to_have_text("To go")
    open_schedules(page)
    tend(page, "To go", "Delete")
    dialog = page.get_by_role("dialog", name="Delete this schedule?")
    expect(dialog).to_contain_text("Its backup stays and can be restored as before.")
    dialog.get_by_role("button", name="Delete schedule").click()
    expect(card(page, "To go")).to_be_hidden()
    open_page(page)
    expect(by).to_have_text("ada@example.com")


def test_a_name_that_is_taken_is_refused_and_what_was_typed_stays(signed_in_page: Page) -> None:
    page = open_schedules(signed_in_page)
    add(page, "Only one")
    page.get_by_role("button", name="Add schedule").first.click()
    dialog = form(page)
    dialog.get_by_label("Name").fill("Only one")
    dialog.get_by_role("button", name="Add schedule").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Only one")
    expect(dialog.get_by_label("Name")).to_have_value("Only one")


def test_a_schedule_is_added_with_the_keyboard_alone(signed_in_page: Page) -> None:
    page = open_schedules(signed_in_page)
    page.keyboard.press("a")
    dialog = form(page)
    expect(dialog.get_by_label("Name")).to_be_focused()
    page.keyboard.type("By keys")
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("radio", name="Every day")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("radio", name="Every week")).to_be_checked()
    zone = dialog.get_by_role("combobox", name="Time zone")
    zone.focus()
    page.keyboard.type("lisb")
    expect(dialog.get_by_role("option", name=re.compile("Lisbon"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("option", name=re.compile("Lisbon"))).to_have_count(0)
    expect(zone).to_have_value("Europe/Berlin")
    page.keyboard.type("lisb")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(zone).to_have_value("Europe/Lisbon")
    dialog.get_by_label("Name").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(card(page, "By keys")).to_contain_text("Every Monday at 02:00 (Europe/Lisbon)")
    expect(page.get_by_role("button", name="Add schedule").first).to_be_focused()


def test_axe_finds_nothing(tab: Page) -> None:
    open_schedules(tab)
    name = f"Looked at, {width_of(tab)}"
    add(tab, name)
    run(tab, name, backups=1)
    found: dict[str, list[str]] = {}

    def look(place: str) -> None:
        tab.wait_for_timeout(300)  # colours fade in
        found[place] = violations(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width_of(tab)

    tab.get_by_role("button", name=f"Last runs of {name}").click()
    expect(tab.get_by_role("list", name="Its last runs")).to_be_visible()
    look("list")
    tend(tab, name, "Edit")
    dialog = form(tab)
    dialog.get_by_role("button", name="Show each of them").click()
    expect(dialog.get_by_role("list", name="What stays and what goes")).to_be_visible()
    look("edit")
    dialog.get_by_role("radio", name="Every month").check()
    dialog.get_by_role("combobox", name="Time zone").fill("europe")
    look("month and zones")
    tab.keyboard.press("Escape")
    dialog.get_by_role("button", name="Cancel").click()
    tend(tab, name, "What stays, and why")
    expect(tab.get_by_role("list", name="What stays and what goes")).to_be_visible()
    look("what stays")
    tab.get_by_role("button", name="Close").click()
    tend(tab, name, "Delete")
    expect(tab.get_by_role("dialog")).to_contain_text("Its backup")
    look("delete")
    assert {place: lines for place, lines in found.items() if lines} == {}
