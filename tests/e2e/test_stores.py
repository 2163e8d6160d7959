"""Stores: add, test, copy to, free up space, bring back, remove; and what a dialog must never tell."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.backups_page import PATIENCE_MS, choose, create, open_page, row_of
from tests.support.running_app import RunningApp, free_port

SECRET = "s3cr3t-that-nobody-may-see-again"


@pytest.fixture
def stores_page(signed_in_page: Page) -> Page:
    """The page of stores, with its cards."""
    return open_stores(signed_in_page)


def open_stores(page: Page) -> Page:
    """The page of stores, with its cards."""
    page.goto("/stores")
    expect(card(page, "database")).to_be_visible()
    return page


def card(page: Page, name: str) -> Locator:
    """The card of one store."""
    return page.get_by_role("article", name=name, exact=True)


def add_folder(page: Page, name: str, path: Path) -> Locator:
    """Fill in and send the dialog for a folder; the dialog."""
    page.get_by_role("button", name="Add store").first.click()
    dialog = page.get_by_role("dialog", name="Add store")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Folder", exact=True).and_(dialog.get_by_role("textbox")).fill(str(path))
    dialog.get_by_role("button", name="Test and save").click()
    return dialog


def tend(page: Page, name: str, action: str) -> None:
    """Choose an action from the ⋯ menu of a store."""
    card(page, name).get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name=action).click()


def test_a_folder_is_added_once_everything_was_tried_there(stores_page: Page, app: RunningApp) -> None:
    page = stores_page
    expect(card(page, "database")).to_contain_text("Same server: not a disaster copy.")
    dialog = add_folder(page, "second-disk", app.data_dir / "second-disk")
    expect(dialog).to_be_hidden(timeout=PATIENCE_MS)
    expect(card(page, "second-disk")).to_contain_text("Works", timeout=PATIENCE_MS)
    expect(card(page, "second-disk")).to_contain_text(str(app.data_dir / "second-disk"))
    page.get_by_role("button", name="Test second-disk").click()
    checks = card(page, "second-disk").get_by_role("list", name="What was tested").get_by_role("listitem")
    expect(checks.filter(has_text="Read back").get_by_role("img", name="Passed")).to_be_visible(timeout=PATIENCE_MS)


def test_a_place_that_fails_is_not_saved_and_what_was_typed_stays(stores_page: Page, app: RunningApp) -> None:
    page = stores_page
    (app.data_dir / "a-file").write_text("no folder")
    dialog = add_folder(page, "broken", app.data_dir / "a-file" / "below")
    expect(dialog.get_by_role("alert").or_(dialog.get_by_role("img", name="Failed")).first).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(dialog.get_by_label("Name")).to_have_value("broken")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(card(page, "database")).to_be_visible()
    expect(card(page, "broken")).to_be_hidden()


def test_the_keys_of_a_bucket_are_sent_once_and_never_come_back(stores_page: Page) -> None:
    page, received = stores_page, []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(str(data))))
    open_stores(page)
    page.get_by_role("button", name="Add store").first.click()
    dialog = page.get_by_role("dialog", name="Add store")
    dialog.get_by_role("radio", name="S3 bucket").click()
    dialog.get_by_label("Name").fill("nowhere")
    dialog.get_by_label("Bucket", exact=True).fill("backups")
    dialog.get_by_label("Endpoint", exact=True).fill(f"http://127.0.0.1:{free_port()}")
    dialog.get_by_label("Region").fill("us-east-1")
    dialog.get_by_label("Access key").fill("AKIAEXAMPLE")
    secret = dialog.get_by_label("Secret key")
    expect(secret).to_have_attribute("type", "password")
    secret.fill(SECRET)
    dialog.get_by_label("The endpoint has no TLS").check()
    dialog.get_by_role("button", name="Test and save").click()
    expect(dialog.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
    dialog.get_by_role("button", name="Cancel").click()
    expect(card(page, "nowhere")).to_be_hidden()
    page.reload()
    expect(card(page, "database")).to_be_visible()
    assert received
    assert not [frame for frame in received if SECRET in frame]


def test_a_backup_is_copied_and_both_places_are_shown(signed_in_page: Page, app: RunningApp) -> None:
    page = open_stores(signed_in_page)
    expect(add_folder(page, "further", app.data_dir / "further")).to_be_hidden(timeout=PATIENCE_MS)
    expect(card(page, "further")).to_be_visible(timeout=PATIENCE_MS)
    open_page(page)
    create(page, "Kept in two places", groups=("Departments",))
    choose(page, "Kept in two places", "Copy to")
    dialog = page.get_by_role("dialog", name="Copy this backup")
    dialog.get_by_role("radio", name="further").click()
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog).to_be_hidden()
    expect(row_of(page, "Kept in two places")).to_contain_text("further", timeout=PATIENCE_MS)
    row_of(page, "Kept in two places").get_by_role("link", name="Kept in two places").click()
    places = page.get_by_role("list", name="Where it rests").get_by_role("listitem")
    expect(places).to_have_count(2)
    expect(places.filter(has_text="further")).to_contain_text("copy")
    places.filter(has_text="further").get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name="Delete this copy").click()
    expect(places).to_have_count(1, timeout=PATIENCE_MS)


def test_a_store_that_alone_holds_a_backup_cannot_be_removed(signed_in_page: Page, app: RunningApp) -> None:
    page = open_stores(signed_in_page)
    expect(add_folder(page, "only-here", app.data_dir / "only-here")).to_be_hidden(timeout=PATIENCE_MS)
    expect(card(page, "only-here")).to_be_visible(timeout=PATIENCE_MS)
    tend(page, "only-here", "Free up space")
    dialog = page.get_by_role("dialog", name="Free up space")
    expect(dialog).to_contain_text("Nothing to free", timeout=PATIENCE_MS)
    expect(dialog.get_by_role("button", name="Free up space")).to_be_disabled()
    dialog.get_by_role("button", name="Cancel").click()
    open_page(page)
    page.get_by_role("button", name="Create Backup").first.click()
    dialog = page.get_by_role("dialog", name="Create Backup")
    dialog.get_by_label("Name").fill("Rests only there")
    dialog.get_by_label("Store", exact=True).select_option("only-here")
    dialog.get_by_role("button", name="Create Backup").click()
    expect(row_of(page, "Rests only there")).to_contain_text(re.compile("only-here.*Stored"), timeout=PATIENCE_MS)
    open_stores(page)
    tend(page, "only-here", "Remove")
    dialog = page.get_by_role("dialog", name="Remove this store?")
    dialog.get_by_role("button", name="Remove store").click()
    expect(dialog.get_by_role("alert")).to_contain_text(re.compile("rest|backup", re.IGNORECASE))
    dialog.get_by_role("button", name="Keep it").click()
    tend(page, "only-here", "Bring back the catalogue")
    page.get_by_role("dialog").get_by_role("button", name="Bring back").click()
    expect(page.get_by_text("Brought back the catalogue").first).to_be_visible(timeout=PATIENCE_MS)


def test_a_store_of_an_installation_that_is_gone_is_taken_over_only_when_asked_to(
    stores_page: Page, app: RunningApp
) -> None:
    page, folder = stores_page, app.data_dir / "theirs"
    expect(add_folder(page, "theirs", folder)).to_be_hidden(timeout=PATIENCE_MS)
    expect(card(page, "theirs")).to_be_visible(timeout=PATIENCE_MS)
    tend(page, "theirs", "Remove")
    page.get_by_role("dialog").get_by_role("button", name="Remove store").click()
    expect(card(page, "theirs")).to_be_hidden(timeout=PATIENCE_MS)
    owner = json.loads((folder / "owner.json").read_text(encoding="utf-8"))
    (folder / "owner.json").write_text(json.dumps({**owner, "installation": str(uuid4())}), encoding="utf-8")
    dialog = add_folder(page, "theirs", folder)
    expect(dialog.get_by_role("alert")).to_contain_text("belongs to another installation", timeout=PATIENCE_MS)
    dialog.get_by_label("Take it over").check()
    dialog.get_by_role("button", name="Test and save").click()
    expect(dialog).to_be_hidden(timeout=PATIENCE_MS)
    expect(card(page, "theirs")).to_be_visible(timeout=PATIENCE_MS)


def test_space_is_freed_after_it_was_said_how_much(stores_page: Page, app: RunningApp) -> None:
    page, folder = stores_page, app.data_dir / "crowded"
    expect(add_folder(page, "crowded", folder)).to_be_hidden(timeout=PATIENCE_MS)
    expect(card(page, "crowded")).to_be_visible(timeout=PATIENCE_MS)
    left_behind = folder / "chunks" / "ab" / f"ab{'0' * 62}-0"
    left_behind.parent.mkdir(parents=True, exist_ok=True)
    left_behind.write_bytes(b"x" * 2_000_000)
    tend(page, "crowded", "Free up space")
    dialog = page.get_by_role("dialog", name="Free up space")
    expect(dialog).to_contain_text("Frees 2 MB", timeout=PATIENCE_MS)
    dialog.get_by_role("button", name="Free 2 MB").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Freed space").first).to_be_visible(timeout=PATIENCE_MS)
    assert not left_behind.exists()
