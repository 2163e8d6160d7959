"""Restore from the page: a plan, a typed name, a lasting result."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.backups_page import PATIENCE_MS, choose, create, database, open_page, row_of
from tests.support.running_app import RunningApp


def _disturb(app: RunningApp) -> None:
    with database(app) as connection:
        connection.execute(
            "DELETE FROM public.notifications WHERE id IN (SELECT id FROM public.notifications LIMIT 10)"
        )
        connection.execute("UPDATE public.notification_preferences SET enabled = NOT enabled")


def _state(app: RunningApp) -> tuple[object, ...]:
    with database(app) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM public.notifications),"
            " (SELECT count(*) FROM public.notification_preferences WHERE enabled)"
        ).fetchone()
    assert row is not None
    return row


def test_a_restore_with_one_group_skipped_leaves_that_group_alone(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Before the accident")
    notifications, _ = _state(app)
    _disturb(app)
    _, enabled = _state(app)

    choose(page, "Before the accident", "Restore")
    dialog = page.get_by_role("dialog", name="Restore “Before the accident”")
    confirm = dialog.get_by_label("Type the backup’s name to confirm")
    expect(confirm).to_be_visible()
    dialog.get_by_role("checkbox", name="Preferences").uncheck()
    button = dialog.get_by_role("button", name="Restore 6 groups")
    expect(button).to_be_disabled()
    confirm.fill("Before the acciden")
    expect(button).to_be_disabled()
    confirm.press_sequentially("t")
    expect(button).to_be_enabled()
    button.click()
    expect(dialog).to_be_hidden()

    result = page.get_by_role("region", name="Result of the restore")
    expect(result).to_be_visible(timeout=PATIENCE_MS)
    expect(result).to_contain_text("10 rows added")
    expect(result.get_by_role("row").filter(has_text="public.notifications")).to_contain_text("10")
    assert _state(app) == (notifications, enabled)

    result.get_by_role("button", name="Close the result").click()
    expect(result).to_be_hidden()
    page.reload()
    page.get_by_role("listitem").filter(has_text="Restored Before the accident").get_by_role(
        "button", name="Show result"
    ).click()
    expect(result).to_contain_text("10 rows added")
    result.get_by_role("link", name="the safety backup").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Before restoring")


def test_only_what_is_missing_comes_back_and_undo_takes_it_away_again(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Before rows were lost")
    notifications, _ = _state(app)
    _disturb(app)
    damaged = _state(app)

    choose(page, "Before rows were lost", "Restore")
    dialog = page.get_by_role("dialog", name="Restore “Before rows were lost”")
    expect(dialog.get_by_role("radio", name="Exactly as it was")).to_be_checked()
    dialog.get_by_role("radio", name="Only what is missing").check()
    expect(dialog).to_contain_text("Rows that are there now stay as they are")
    dialog.get_by_label("Type the backup’s name to confirm").fill("Before rows were lost")
    dialog.get_by_role("button", name="Restore 7 groups").click()
    result = page.get_by_role("region", name="Result of the restore")
    expect(result).to_contain_text("10 rows added, 0 changed", timeout=PATIENCE_MS)
    assert _state(app) == (notifications, damaged[1])

    result.get_by_role("button", name="Undo").click()
    undoing = page.get_by_role("dialog", name="Undo this restore")
    expect(undoing.get_by_role("row").filter(has_text="Notifications")).to_contain_text("−10")
    undoing.get_by_role("button", name="Undo the restore").click()
    expect(undoing).to_be_hidden()
    expect(result).to_contain_text("10 removed", timeout=PATIENCE_MS)
    assert _state(app) == damaged


def test_what_would_break_is_said_before_anything_happens(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Before new people came")
    with database(app) as connection:
        connection.execute(
            "INSERT INTO public.departments (name, code) VALUES ('A new one', 'NEW1') ON CONFLICT DO NOTHING"
        )
    choose(page, "Before new people came", "Restore")
    dialog = page.get_by_role("dialog", name="Restore “Before new people came”")
    row = dialog.get_by_role("row").filter(has_text="Departments")
    expect(row).to_contain_text("−1")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(row_of(page, "Before new people came").get_by_role("button", name="Actions for")).to_be_focused()
