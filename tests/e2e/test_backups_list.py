"""Backup Management: create, watch, filter, cancel, pin, delete, look inside."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.backups_page import (
    PATIENCE_MS,
    choose,
    create,
    expect_complete,
    locked,
    open_page,
    row_of,
    running,
    start,
)
from tests.support.running_app import RunningApp


def test_the_name_is_there_already_selected_and_enter_creates_the_backup(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    page.keyboard.press("c")
    name = page.get_by_role("dialog").get_by_label("Name")
    expect(name).to_be_focused()
    expect(name).to_have_value(re.compile(r"^Backup \d+ \w+ \d{4}, \d\d:\d\d$"))
    page.keyboard.type("Typed over the proposal")
    page.keyboard.press("Enter")
    expect_complete(page, "Typed over the proposal")
    expect(page.get_by_text("Backing up as “Typed over the proposal”.")).to_be_visible()
    expect(page.get_by_role("region", name="How safe the data is")).to_contain_text("Last good backup just now")


def test_a_running_backup_shows_in_every_tab_and_after_a_reload(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    other = open_page(page.context.new_page())
    with locked(app, "public.departments"):
        start(page, "Watched from two tabs")
        expect(running(page, "Watched from two tabs")).to_be_visible()
        expect(running(other, "Watched from two tabs")).to_be_visible()
        page.reload()
        expect(running(page, "Watched from two tabs")).to_be_visible()
    expect_complete(page, "Watched from two tabs")
    expect_complete(other, "Watched from two tabs")
    expect(running(page, "Watched from two tabs")).to_be_hidden()


def test_a_running_backup_can_be_cancelled(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    with locked(app, "public.departments"):
        start(page, "Changed my mind")
        running(page, "Changed my mind").get_by_role("button", name="Cancel").click()
        expect(running(page, "Changed my mind")).to_contain_text("Cancelling")
    expect(running(page, "Changed my mind")).to_be_hidden(timeout=PATIENCE_MS)
    expect(page.get_by_text("Backup cancelled").first).to_be_visible()


def test_an_error_keeps_the_dialog_and_what_was_typed(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    page.get_by_role("button", name="Create Backup").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Kept while I mend it")
    dialog.get_by_label("Description").fill("and so is this")
    for box in dialog.get_by_role("checkbox").all():
        box.uncheck()
    dialog.get_by_role("button", name="Create Backup").click()
    expect(dialog.get_by_role("alert")).to_contain_text("No group is chosen.")
    expect(dialog.get_by_label("Name")).to_have_value("Kept while I mend it")
    expect(dialog.get_by_label("Description")).to_have_value("and so is this")


def test_slash_focuses_the_filter_which_finds_and_finds_nothing(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "A needle", groups=("Departments",))
    create(page, "Some hay", groups=("Departments",))
    page.locator("body").press("/")
    expect(page.get_by_label("Filter backups")).to_be_focused()
    page.keyboard.type("needl")
    expect(row_of(page, "Some hay")).to_be_hidden()
    expect(row_of(page, "A needle")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?q=needl$"))
    page.reload()
    expect(page.get_by_label("Filter backups")).to_have_value("needl")
    expect(row_of(page, "A needle")).to_be_visible()
    expect(row_of(page, "Some hay")).to_be_hidden()
    page.get_by_label("Filter backups").press_sequentially("-that-nobody-lost")
    expect(page.get_by_text("No backup matches")).to_be_visible()


def test_deleting_asks_then_removes_and_gives_the_focus_back(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "Not needed any more", groups=("Departments",))
    choose(page, "Not needed any more", "Delete")
    page.get_by_role("dialog", name="Delete this backup?").get_by_role("button", name="Keep it").click()
    expect(row_of(page, "Not needed any more").get_by_role("button", name="Actions for")).to_be_focused()
    choose(page, "Not needed any more", "Delete")
    page.get_by_role("button", name="Move to trash").click()
    expect(row_of(page, "Not needed any more")).to_be_hidden(timeout=PATIENCE_MS)
    expect(page.get_by_text("“Not needed any more” is in the trash.")).to_be_visible()
    assert page.evaluate("document.body.style.pointerEvents") != "none"


def test_a_pinned_backup_says_so_and_cannot_be_deleted_until_it_is_unpinned(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "Keep this one", groups=("Departments",))
    choose(page, "Keep this one", "Pin")
    expect(row_of(page, "Keep this one").get_by_role("img", name="Pinned")).to_be_visible()
    row_of(page, "Keep this one").get_by_role("button", name="Actions for").click()
    expect(page.get_by_role("menuitem", name="Delete (unpin first)")).to_be_disabled()
    page.get_by_role("menuitem", name="Unpin", exact=True).click()
    expect(row_of(page, "Keep this one").get_by_role("img", name="Pinned")).to_be_hidden()


def test_a_check_of_the_contents_is_shown_as_proof(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "To be proven", groups=("Departments",))
    choose(page, "To be proven", "Verify")
    dialog = page.get_by_role("dialog", name="Verify this backup")
    expect(dialog.get_by_role("radio", name="Contents")).to_be_checked()
    dialog.get_by_role("button", name="Verify").click()
    expect(row_of(page, "To be proven")).to_contain_text("Decrypted", timeout=PATIENCE_MS)
    expect(page.get_by_role("listitem").filter(has_text="Checked To be proven")).to_be_visible()


def test_the_page_of_a_backup_names_its_groups_and_tables(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "Looked inside", groups=("Departments", "Users"))
    row_of(page, "Looked inside").get_by_role("link", name="Looked inside").click()
    expect(page.get_by_role("heading", level=1, name="Looked inside")).to_be_visible()
    expect(page.get_by_role("cell", name="public.departments")).to_be_visible()
    expect(page.get_by_role("cell", name="public.assets")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("cell", name="public.departments")).to_be_visible()
    page.get_by_role("link", name="Backup Management").first.click()
    expect(page.get_by_role("heading", level=1, name="Backup Management")).to_be_visible()


def test_a_backup_that_does_not_exist_is_told_so(signed_in_page: Page) -> None:
    signed_in_page.goto("/backups/00000000-0000-4000-8000-000000000000")
    expect(signed_in_page.get_by_text("There is no such backup")).to_be_visible()


def test_everything_can_be_reached_by_keyboard_alone(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "By keyboard", groups=("Departments",))
    page.goto("/backups")
    expect(row_of(page, "By keyboard")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    page.keyboard.type("By keyboard")
    expect(page.get_by_text("1 backup", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("columnheader", name="Name").get_by_role("button")).to_be_focused()
    actions = page.get_by_role("button", name="Actions for By keyboard")
    for _ in range(10):  # the other columns, the backup's own page
        if actions.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Restore")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Delete this backup?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Actions for By keyboard")).to_be_focused()


def test_the_list_can_be_sorted_and_narrowed_to_a_state_and_the_address_knows(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "000 sorts first", groups=("Departments",))
    create(page, "zzz sorts last", groups=("Departments",))
    by_name = page.get_by_role("columnheader", name="Name")
    by_name.get_by_role("button").click()
    expect(by_name).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("row").nth(1)).to_contain_text("000 sorts first")
    by_name.get_by_role("button").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("zzz sorts last")
    expect(page).to_have_url(re.compile("sort=name&order=down"))
    page.reload()
    expect(page.get_by_role("row").nth(1)).to_contain_text("zzz sorts last")
    page.get_by_label("State").select_option("Interrupted")
    expect(row_of(page, "zzz sorts last")).to_have_count(0)
    page.get_by_label("State").select_option("Complete")
    expect(row_of(page, "zzz sorts last")).to_be_visible()


def test_an_unknown_address_says_so_inside_the_frame(signed_in_page: Page) -> None:
    answer = signed_in_page.goto("/no/such/page")
    assert answer is not None
    assert answer.status == 404
    expect(signed_in_page.get_by_role("heading", level=1, name="No such page")).to_be_visible()
    signed_in_page.get_by_role("main").get_by_role("link", name="Backup Management").click()
    expect(signed_in_page.get_by_role("heading", level=1, name="Backup Management")).to_be_visible()
