"""The trash: a deleted backup can be had back at once, and later; deleting for good; axe."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.axe import violations
from tests.support.backups_page import PATIENCE_MS, choose, create, open_page, row_of


def delete(page: Page, name: str) -> None:
    """Delete a backup as the page offers it: into the trash."""
    choose(page, name, "Delete")
    dialog = page.get_by_role("dialog", name="Delete this backup?")
    expect(dialog).to_contain_text("It waits in the trash for 7 days")
    dialog.get_by_role("button", name="Move to trash").click()
    expect(row_of(page, name)).to_be_hidden(timeout=PATIENCE_MS)


def open_trash(page: Page) -> Page:
    """The page of the trash, alive."""
    page.goto("/trash")
    expect(page.get_by_role("list", name="In the trash").or_(page.get_by_text("The trash is empty"))).to_be_visible()
    return page


def line(page: Page, name: str) -> Locator:
    """The line of one backup in the trash."""
    return page.get_by_role("list", name="In the trash").get_by_role("listitem").filter(has_text=name)


def test_a_deletion_is_undone_at_once(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "Deleted by mistake", groups=("Departments",))
    delete(page, "Deleted by mistake")
    expect(page.get_by_text("“Deleted by mistake” is in the trash.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(row_of(page, "Deleted by mistake")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("“Deleted by mistake” is in the trash.")).to_be_hidden()


def test_a_backup_is_put_back_from_the_trash(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "Missed later", groups=("Departments",))
    delete(page, "Missed later")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("“Missed later” is in the trash.")).to_be_hidden()
    page.get_by_role("link", name=re.compile(r"Trash \(\d+\)")).click()
    expect(line(page, "Missed later")).to_contain_text("Gone in 7 days")
    expect(line(page, "Missed later")).to_contain_text("by ada@example.com")
    page.get_by_role("button", name="Put back Missed later").click()
    expect(line(page, "Missed later")).to_be_hidden()
    open_page(page)
    expect(row_of(page, "Missed later")).to_be_visible()


def test_the_page_of_a_backup_in_the_trash_says_so_and_lets_it_out(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "Looked at in the trash", groups=("Departments",))
    delete(page, "Looked at in the trash")
    open_trash(page)
    line(page, "Looked at in the trash").get_by_role("link").click()
    expect(page.get_by_text("This backup is in the trash.")).to_be_visible()
    expect(page.get_by_role("link", name="Restore…")).to_have_count(0)
    page.get_by_role("button", name="Put back").click()
    expect(page.get_by_text("This backup is in the trash.")).to_be_hidden()
    expect(page.get_by_role("link", name="Restore…")).to_be_visible()


def test_the_trash_is_emptied_after_a_question(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    for name in ("Emptied first", "Emptied second"):
        create(page, name, groups=("Departments",))
        delete(page, name)
    open_trash(page)
    expect(line(page, "Emptied second")).to_be_visible()
    page.get_by_role("button", name="Empty trash…").click()
    dialog = page.get_by_role("dialog", name="Empty the trash?")
    expect(dialog).to_contain_text(re.compile(r"\d+ backups, which added [\d.]+ k?B"))
    page.wait_for_timeout(300)  # colours fade in
    assert violations(page) == []
    dialog.get_by_role("button", name="Keep them").click()
    expect(line(page, "Emptied first")).to_be_visible()
    page.get_by_role("button", name="Empty trash…").click()
    page.get_by_role("button", name="Empty the trash").click()
    expect(page.get_by_text("The trash is empty")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Empty trash…")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_backup_is_deleted_for_good_after_a_question(signed_in_page: Page, scheme: str) -> None:
    page, name = open_page(signed_in_page), f"Never again, {scheme}"
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    create(page, name, groups=("Departments",))
    delete(page, name)
    page.wait_for_timeout(300)  # colours fade in
    assert violations(page) == []
    open_trash(page)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    line(page, name).get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name="Delete now").click()
    dialog = page.get_by_role("dialog", name="Delete this backup for good?")
    expect(dialog).to_contain_text(name)
    page.wait_for_timeout(300)
    assert violations(page) == []
    dialog.get_by_role("button", name="Keep it").click()
    expect(line(page, name)).to_be_visible()
    line(page, name).get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name="Delete now").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(line(page, name)).to_be_hidden(timeout=PATIENCE_MS)
    open_page(page)
    expect(row_of(page, name)).to_be_hidden()
