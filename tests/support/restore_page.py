"""What a person does in the steps of a restore, as functions."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.support.backups_page import PATIENCE_MS, choose

HEADINGS = {
    "what": "What should be restored?",
    "how": "How should it be restored?",
    "preview": "What would change",
    "confirm": "Is this what you want?",
}


def begin(page: Page, name: str) -> None:
    """Open the first step from the menu of a backup."""
    choose(page, name, "Restore")
    expect_step(page, "what")


def expect_step(page: Page, step: str) -> None:
    """Wait until a step is shown."""
    expect(page.get_by_role("heading", level=2, name=HEADINGS[step])).to_be_visible()


def go_on(page: Page, step: str) -> None:
    """Press the button that leads to the next step, named here."""
    page.get_by_role("button", name=f"Next: {step.capitalize()}").click(timeout=PATIENCE_MS)
    expect_step(page, step)


def expect_preview(page: Page, verdict: str) -> None:
    """Wait for the preview's one sentence."""
    expect_step(page, "preview")
    expect(page.get_by_role("status").filter(has_text=verdict)).to_be_visible(timeout=PATIENCE_MS)


def confirm(page: Page, name: str, deed: str) -> None:
    """From the preview: type the name and press the button that says `deed`."""
    go_on(page, "confirm")
    page.get_by_label("Type the backup’s name to confirm").fill(name)
    page.get_by_role("button", name=deed).click()


def result(page: Page) -> Locator:
    """The result, once there is one."""
    shown = page.get_by_role("region", name="Result of the restore")
    expect(shown).to_be_visible(timeout=PATIENCE_MS)
    return shown


def line_of(page: Page, name: str) -> Locator:
    """The line of a group or table, in the choice or in the preview."""
    return page.get_by_role("row").filter(has_text=name).first
