"""How well a backup is proven, as its page shows it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.backups_page import PATIENCE_MS, create, open_page, row_of


def test_a_drill_is_shown_as_the_highest_proof(signed_in_page: Page) -> None:
    page = open_page(signed_in_page)
    create(page, "Proven by doing it", groups=("Departments",))
    row_of(page, "Proven by doing it").get_by_role("link", name="Proven by doing it").click()
    ladder = page.get_by_role("list", name="How well it is proven").get_by_role("listitem")
    expect(ladder.filter(has_text="Stored").get_by_role("img", name="Reached", exact=True)).to_be_visible()
    expect(ladder.filter(has_text="Restored").get_by_role("img", name="Not reached")).to_be_visible()
    page.get_by_role("button", name="Verify…").first.click()
    dialog = page.get_by_role("dialog", name="Verify this backup")
    dialog.get_by_role("radio", name="Restore drill").click()
    dialog.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Restored in a drill")).to_be_visible(timeout=PATIENCE_MS)
    expect(ladder.filter(has_text="Restored").get_by_role("img", name="Reached", exact=True)).to_be_visible()
