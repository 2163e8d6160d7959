"""Restore from the page, step by step: forwards, backwards, reloaded, refused, decided, undone; by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.backups_page import PATIENCE_MS, choose, create, database, open_page, row_of
from tests.support.restore_page import begin, confirm, expect_preview, expect_step, go_on, line_of, result
from tests.support.running_app import RunningApp


def _state(app: RunningApp) -> tuple[int, ...]:
    """Notifications, enabled preferences, departments."""
    with database(app) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM public.notifications),"
            " (SELECT count(*) FROM public.notification_preferences WHERE enabled),"
            " (SELECT count(*) FROM public.departments)"
        ).fetchone()
    assert row is not None
    return tuple(int(str(value)) for value in row)


def _run(app: RunningApp, *statements: str) -> None:
    with database(app) as connection:
        for statement in statements:
            connection.execute(statement)


LOSE_TEN = "DELETE FROM public.notifications WHERE id IN (SELECT id FROM public.notifications LIMIT 10)"
TURN_ALL = "UPDATE public.notification_preferences SET enabled = NOT enabled"


@pytest.fixture
def tidy(app: RunningApp) -> Iterator[None]:
    """Take away what a test has done to the shape of tables."""
    yield
    _run(app, "ALTER TABLE public.departments DROP COLUMN IF EXISTS moved_since")


def test_a_restore_from_the_choice_to_the_result_and_back_again(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Before the accident")
    before = _state(app)
    _run(app, LOSE_TEN, TURN_ALL)
    damaged = _state(app)

    begin(page, "Before the accident")
    expect(line_of(page, "Notifications")).to_contain_text("+10")
    page.get_by_role("checkbox", name="Preferences").uncheck()
    expect(page.get_by_text("6 of 7 groups, 9 of 10 tables").first).to_be_visible()
    go_on(page, "how")
    expect(page.get_by_role("radio", name="Exactly as it was")).to_be_checked()
    go_on(page, "preview")
    expect_preview(page, "10 rows added in 1 table")
    expect(line_of(page, "public.notifications")).to_contain_text("10")
    expect(page.get_by_text("public.departments")).to_be_hidden()
    page.get_by_role("checkbox", name="Show tables that need no change").check()
    expect(page.get_by_text("public.departments")).to_be_visible()

    go_on(page, "confirm")
    expect(page.get_by_role("listitem").filter(has_text="public.notifications")).to_contain_text("10 added")
    deed = page.get_by_role("button", name="Restore 6 groups, change 10 rows")
    name = page.get_by_label("Type the backup’s name to confirm")
    name.fill("Before the acciden")
    expect(deed).to_be_disabled()
    name.press_sequentially("t")
    expect(deed).to_be_enabled()
    deed.click()
    done = result(page)
    expect(done).to_contain_text("10 rows added, 0 changed, 0 removed in 1 table")
    expect(done.get_by_role("row").filter(has_text="public.notifications")).to_contain_text("10")
    assert _state(app) == (before[0], damaged[1], before[2])

    page.reload()
    expect(result(page)).to_contain_text("10 rows added")
    open_page(page)
    lines = page.get_by_role("listitem").filter(has_text="Restored Before the accident")
    lines.get_by_role("link", name="Show result").click()
    expect(result(page)).to_contain_text("You can undo this.")
    shown = page.url
    result(page).get_by_role("link", name="Undo").click()
    expect_preview(page, "10 rows removed in 1 table")
    go_on(page, "confirm")
    page.get_by_role("button", name="Undo the restore, change 10 rows").click()
    expect(result(page)).to_contain_text("0 rows added, 0 changed, 10 removed")
    assert _state(app) == damaged

    page.goto(shown)
    expect(result(page)).to_contain_text("This was undone")
    result(page).get_by_role("link", name="What the undo did").click()
    expect(result(page)).to_contain_text("0 rows added, 0 changed, 10 removed")


def test_the_choice_outlives_going_back_and_reloading(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Looked at twice", groups=("Departments", "Assets"))
    begin(page, "Looked at twice")
    page.get_by_role("button", name="Tables of Assets").click()
    page.get_by_role("checkbox", name="public.assets").uncheck()
    expect(page.get_by_text("2 of 2 groups, 3 of 4 tables").first).to_be_visible()
    assert page.get_by_role("checkbox", name="Assets", exact=True).evaluate("box => box.indeterminate")
    page.reload()
    expect(page.get_by_text("2 of 2 groups, 3 of 4 tables").first).to_be_visible()
    go_on(page, "how")
    page.get_by_role("radio", name="Only what is missing").check()
    page.get_by_role("checkbox", name="Set aside").check()
    go_on(page, "preview")
    expect_preview(page, "Nothing would change")
    page.reload()
    expect(page.get_by_text("only what is missing, setting aside").first).to_be_visible()
    expect_preview(page, "Nothing would change")
    page.go_back()
    expect_step(page, "how")
    expect(page.get_by_role("radio", name="Only what is missing")).to_be_checked()
    page.get_by_role("link", name="What").click()
    expect_step(page, "what")
    expect(page.get_by_text("2 of 2 groups, 3 of 4 tables").first).to_be_visible()
    page.get_by_role("button", name="Untick all").click()
    expect(page.get_by_role("button", name="Next: How")).to_be_disabled()
    page.goto(f"{page.url.partition('?')[0]}?step=confirm&left=0-3")
    expect_step(page, "what")
    page.goto(f"{page.url.partition('?')[0]}?table=public.departments")
    expect(page.get_by_text("1 of 2 groups, 1 of 4 tables").first).to_be_visible()


def test_single_tables_and_only_what_is_missing(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "One table of it")
    _run(app, LOSE_TEN, TURN_ALL)
    damaged = _state(app)
    begin(page, "One table of it")
    page.get_by_role("button", name="Untick all").click()
    page.get_by_role("button", name="Tables of Notifications").click()
    page.get_by_role("checkbox", name="public.notifications").check()
    expect(page.get_by_text("1 of 7 groups, 1 of 10 tables").first).to_be_visible()
    go_on(page, "how")
    page.get_by_role("radio", name="Only what is missing").check()
    expect(page.get_by_role("checkbox", name="Load damaged tables anew")).to_be_hidden()
    go_on(page, "preview")
    expect_preview(page, "10 rows added in 1 table")
    confirm(page, "One table of it", "Restore 1 group, change 10 rows")
    expect(result(page)).to_contain_text("10 rows added, 0 changed")
    assert _state(app) == (damaged[0] + 10, damaged[1], damaged[2])


def test_a_preview_that_went_stale_is_not_restored_and_one_button_looks_again(
    signed_in_page: Page, app: RunningApp, tidy: None
) -> None:
    page = open_page(signed_in_page)
    create(page, "Before the shape changed", groups=("Departments",))
    _run(app, "UPDATE public.departments SET name = name || ' (renamed)' WHERE code <> 'NEW1'")
    begin(page, "Before the shape changed")
    go_on(page, "how")
    go_on(page, "preview")
    expect_preview(page, "changed in 1 table")
    _run(app, "ALTER TABLE public.departments ADD COLUMN moved_since text")
    go_on(page, "confirm")
    expect(page.get_by_text("The database has changed since this preview")).to_be_visible()
    page.get_by_label("Type the backup’s name to confirm").fill("Before the shape changed")
    expect(page.get_by_role("button", name=re.compile("^Restore 1 group"))).to_be_disabled()
    page.get_by_role("button", name="Look again").click()
    expect_preview(page, "changed in 1 table")
    expect(page.get_by_text("moved_since").first).to_be_visible()
    confirm(page, "Before the shape changed", "Restore 1 group")
    expect(result(page)).to_contain_text("changed")


def test_a_restore_that_would_change_more_than_it_showed_is_refused(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Before more rows came", groups=("Departments",))
    begin(page, "Before more rows came")
    go_on(page, "how")
    go_on(page, "preview")
    expect_preview(page, "Nothing would change")
    go_on(page, "confirm")
    _run(app, "UPDATE public.departments SET name = name || '!'")
    damaged = _state(app)
    page.get_by_label("Type the backup’s name to confirm").fill("Before more rows came")
    page.get_by_role("button", name="Restore 1 group").click()
    expect(page.get_by_role("heading", name="The restore failed")).to_be_visible(timeout=PATIENCE_MS)
    assert _state(app) == damaged
    page.get_by_role("button", name="Look again").click()
    expect_preview(page, "changed in 1 table")


def test_what_stands_in_the_way_is_decided_in_the_preview(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Before a new department", groups=("Departments",))
    _run(
        app,
        "INSERT INTO public.departments (name, code) VALUES ('Newcomers', 'NEWC')",
        "UPDATE public.users SET department_id = (SELECT id FROM public.departments WHERE code = 'NEWC')"
        " WHERE id = (SELECT max(id) FROM public.users)",
    )
    before = _state(app)
    begin(page, "Before a new department")
    go_on(page, "how")
    go_on(page, "preview")
    expect_preview(page, "must be decided first")
    expect(page.get_by_role("button", name="Next: Confirm")).to_be_disabled()
    page.get_by_role("group", name="To decide").first.get_by_role("button", name=re.compile("as they are")).click()
    expect_preview(page, "set aside")
    confirm(page, "Before a new department", "Restore 1 group")
    expect(result(page)).to_be_visible()
    assert _state(app) == before


def test_a_preview_can_be_cancelled_and_gone_on_without(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Nobody wants to wait", groups=("Departments",))
    begin(page, "Nobody wants to wait")
    go_on(page, "how")
    with database(app) as connection:
        connection.execute("LOCK TABLE public.departments IN ACCESS EXCLUSIVE MODE")
        page.get_by_role("button", name="Next: Preview").click()
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(page.get_by_text("The comparison was cancelled")).to_be_visible(timeout=PATIENCE_MS)
        connection.rollback()
    page.get_by_role("button", name="Go on without it").click()
    expect_step(page, "confirm")
    expect(page.get_by_text("How many rows change is not known")).to_be_visible()


def test_what_blocks_is_said_at_once(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Before a table went", groups=("Preferences",))
    _run(app, "ALTER TABLE public.notification_preferences RENAME TO preferences_away")
    try:
        begin(page, "Before a table went")
        expect(page.get_by_role("alert").first).to_contain_text("notification_preferences")
        go_on(page, "how")
        go_on(page, "preview")
        expect_preview(page, "This cannot be restored as chosen")
        expect(page.get_by_role("button", name="Next: Confirm")).to_be_disabled()
    finally:
        _run(app, "ALTER TABLE public.preferences_away RENAME TO notification_preferences")


def test_a_restore_with_nothing_but_the_keyboard(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Restored by keyboard", groups=("Departments",))
    _run(app, "UPDATE public.departments SET name = name || '?'")
    page.goto("/backups")
    row_of(page, "Restored by keyboard").get_by_role("button", name="Actions for").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Restore").press("Enter")
    expect_step(page, "what")

    def press(name: str, key: str = "Enter") -> None:
        """Walk to a control by Tab, as nobody can point, and press it."""
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.innerText || document.activeElement.value || ''").startswith(name):
                page.keyboard.press(key)
                return
        raise AssertionError(f"Tab never came to {name}")

    press("Next: How")
    expect_step(page, "how")
    expect(page.get_by_role("heading", level=2)).to_be_focused()
    press("exact", "ArrowDown")
    expect(page.get_by_role("radio", name="Only what is missing")).to_be_checked()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="Exactly as it was")).to_be_checked()
    press("Next: Preview")
    expect_preview(page, "changed in 1 table")
    expect(page.get_by_role("button", name="Next: Confirm")).to_be_enabled()
    press("Next: Confirm")
    expect_step(page, "confirm")
    expect(page.get_by_role("heading", level=2)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("Restored by keyboard")
    expect(page.get_by_role("button", name="Restore 1 group")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(result(page)).to_contain_text("changed")


def test_views_that_went_stale_are_refreshed_from_the_result(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    create(page, "Before the view was built", groups=("Departments",))
    _run(
        app,
        "INSERT INTO public.departments (name, code) VALUES ('Seen by a view', 'VIEW')",
        "CREATE MATERIALIZED VIEW public.department_count AS SELECT count(*) AS n FROM public.departments",
    )
    try:
        begin(page, "Before the view was built")
        go_on(page, "how")
        go_on(page, "preview")
        expect_preview(page, "1 row removed in 1 table")
        expect(page.get_by_text("will want a refresh afterwards: public.department_count")).to_be_visible()
        confirm(page, "Before the view was built", "Restore 1 group, change 1 row")
        result(page).get_by_role("button", name="Refresh them").click()
        expect(page.get_by_text("1 materialized view refreshed.")).to_be_visible(timeout=PATIENCE_MS)
        with database(app) as connection:
            row = connection.execute("SELECT n FROM public.department_count").fetchone()
        assert row == (_state(app)[2],)
    finally:
        _run(app, "DROP MATERIALIZED VIEW public.department_count")


def test_no_such_backup_and_no_such_run_are_said_in_words(signed_in_page: Page, app: RunningApp) -> None:
    page = open_page(signed_in_page)
    nobody = "00000000-0000-4000-8000-000000000000"
    page.goto(f"/backups/{nobody}/restore")
    expect(page.get_by_role("heading", level=1, name="Nothing to restore")).to_be_visible()
    create(page := open_page(page), "For a run that never was", groups=("Departments",))
    choose(page, "For a run that never was", "Restore")
    page.wait_for_url("**/restore")
    page.goto(f"{page.url}?run={nobody}")
    expect(page.get_by_role("heading", level=2, name="The restore failed")).to_be_visible()
