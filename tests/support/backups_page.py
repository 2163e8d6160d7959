"""What a person does on Backup Management, as functions; everything is found by role and name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from playwright.sync_api import Locator, Page, expect

from rxbackup.postgres.embedded import EmbeddedServer
from tests.support.running_app import RunningApp

PATIENCE_MS = 45_000
expect.set_options(timeout=15_000)  # the machine may be busy with other things


def open_page(page: Page) -> Page:
    """Backup Management, alive: its counts are there."""
    page.goto("/backups")
    expect(page.get_by_role("heading", level=1, name="Backup Management")).to_be_visible()
    expect(page.get_by_text("Departments").first).to_be_visible()
    return page


def row_of(page: Page, name: str) -> Locator:
    """The line of one backup in the table."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def create(page: Page, name: str, *, groups: tuple[str, ...] | None = None) -> Locator:
    """Create a backup, of these groups or of all, and wait until it is complete; its row."""
    start(page, name, groups=groups)
    expect_complete(page, name)
    return row_of(page, name)


def provide(page: Page, name: str, *, groups: tuple[str, ...] | None = None) -> None:
    """Backup Management with a complete backup of that name, which whoever needs it first makes."""
    found = page.request.get("/api/v1/backups", params={"text": name}).json()["items"]
    if name not in [each["name"] for each in found]:
        wanted = {"name": name} | ({"groups": list(groups)} if groups else {})
        asked = page.request.post("/api/v1/backups", data=wanted, headers={"X-Rxb": "1"})
        assert asked.status == 202, asked.text()
    open_page(page)
    expect_complete(page, name)


def expect_complete(page: Page, name: str) -> None:
    """Wait until a backup is whole: only then a level of proof stands in its row."""
    expect(row_of(page, name)).to_contain_text(re.compile("Stored|Readable|Decrypted|Restored"), timeout=PATIENCE_MS)


def start(page: Page, name: str, *, groups: tuple[str, ...] | None = None) -> None:
    """Ask for a backup and wait until the dialog has gone."""
    page.get_by_role("button", name="Create Backup").first.click()
    dialog = page.get_by_role("dialog", name="Create Backup")
    dialog.get_by_label("Name").fill(name)
    if groups is not None:
        for box in dialog.get_by_role("checkbox").all():
            label = box.locator("xpath=ancestor::label").inner_text()
            box.set_checked(any(label.startswith(group) for group in groups))
    dialog.get_by_role("button", name="Create Backup").click()
    expect(dialog).to_be_hidden()


def choose(page: Page, name: str, action: str) -> None:
    """Choose an action from the ⋯ menu of a backup."""
    row_of(page, name).get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name=action).click()


def running(page: Page, name: str) -> Locator:
    """The line that shows a run's progress."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("progressbar")).filter(has_text=name)


@contextmanager
def database(app: RunningApp) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The protected database of an app, as its owner."""
    with EmbeddedServer.ensure(app.data_dir) as server, psycopg.connect(server.url) as connection:
        yield connection


@contextmanager
def locked(app: RunningApp, table: str) -> Iterator[None]:
    """Hold a lock that keeps every backup waiting, so that there is time to look at it."""
    with database(app) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()
