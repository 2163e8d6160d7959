"""Import: a file that was downloaded becomes a backup again, with a passphrase where it has one."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from playwright.sync_api import Locator, Page, expect
from psycopg.types.json import Jsonb

from rxbackup.postgres.embedded import EmbeddedServer
from tests.support.backups_page import PATIENCE_MS, choose, create, open_page, row_of
from tests.support.restore_page import begin, expect_preview, go_on, result
from tests.support.running_app import RunningApp

PASSPHRASE = "größer als nötig, and long enough"


def import_file(page: Page, file: Path, *, passphrase: str = "") -> Locator:
    """Choose a file in the dialog and send it; the dialog."""
    page.get_by_role("button", name="Import", exact=True).click()
    dialog = page.get_by_role("dialog", name="Import a backup")
    dialog.get_by_label("File to import").set_input_files(file)
    if passphrase:
        dialog.get_by_label("Passphrase").fill(passphrase)
    dialog.get_by_role("button", name="Import", exact=True).click()
    return dialog


def download(page: Page, name: str, kind: str, to: Path, *, passphrase: str = "") -> Path:
    """Download a backup through the dialog."""
    choose(page, name, "Download")
    dialog = page.get_by_role("dialog", name="Download this backup")
    dialog.get_by_role("radio", name=kind).click()
    if passphrase:
        dialog.get_by_label("Passphrase").fill(passphrase)
        dialog.get_by_label("The same again").fill(passphrase)
    with page.expect_download() as waiting:
        dialog.get_by_role("button", name="Download").click()
    file = to / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert "passphrase" not in waiting.value.url
    return file


def test_an_archive_with_a_passphrase_comes_back_after_its_backup_was_deleted(
    signed_in_page: Page, tmp_path: Path
) -> None:
    page = open_page(signed_in_page)
    create(page, "Taken along", groups=("Departments",))
    file = download(page, "Taken along", "Archive", tmp_path, passphrase=PASSPHRASE)
    assert file.suffix == ".rxbackup"
    choose(page, "Taken along", "Delete")
    dialog = page.get_by_role("dialog", name="Delete this backup?")
    expect(dialog).to_contain_text(re.compile("removes it from the store “database” and frees"))
    dialog.get_by_role("button", name="Move to trash").click()
    expect(row_of(page, "Taken along")).to_be_hidden(timeout=PATIENCE_MS)
    page.get_by_role("link", name=re.compile("Trash")).click()
    page.get_by_role("button", name="Actions for Taken along").click()
    page.get_by_role("menuitem", name="Delete now").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("link", name="Taken along")).to_be_hidden(timeout=PATIENCE_MS)
    open_page(page)
    expect(import_file(page, file, passphrase=PASSPHRASE)).to_be_hidden(timeout=PATIENCE_MS)
    expect(row_of(page, "Taken along")).to_contain_text("Imported", timeout=PATIENCE_MS)


def test_a_file_of_another_kind_is_refused_in_words_and_the_dialog_stays(signed_in_page: Page, tmp_path: Path) -> None:
    page = open_page(signed_in_page)
    (tmp_path / "holiday.json").write_bytes(b"\x89PNG no backup at all")
    dialog = import_file(page, tmp_path / "holiday.json")
    expect(dialog.get_by_role("alert")).to_contain_text(re.compile(r"\w+ \w+"), timeout=PATIENCE_MS)
    expect(dialog.get_by_text("holiday.json").first).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()


def test_a_json_download_is_imported_by_dropping_it(signed_in_page: Page, tmp_path: Path) -> None:
    page = open_page(signed_in_page)
    create(page, "As a document", groups=("Departments",))
    file = download(page, "As a document", "JSON", tmp_path)
    page.get_by_role("button", name="Import", exact=True).click()
    dialog = page.get_by_role("dialog", name="Import a backup")
    dropped = page.evaluate_handle(
        """([name, text]) => { const all = new DataTransfer();
          all.items.add(new File([text], name, {type: 'application/json'})); return all; }""",
        ["dropped.json", file.read_text(encoding="utf-8")],
    )
    dialog.locator("label", has_text="or drop it here").dispatch_event("drop", {"dataTransfer": dropped})
    expect(dialog.get_by_text("dropped.json")).to_be_visible()
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog).to_be_hidden(timeout=PATIENCE_MS)
    expect(page.get_by_text("Imported").first).to_be_visible(timeout=PATIENCE_MS)


def test_a_backup_that_another_key_signed_is_marked_and_restored_only_after_one_more_yes(
    signed_in_page: Page, app: RunningApp
) -> None:
    page = open_page(signed_in_page)
    create(page, "From somewhere else", groups=("Departments",))
    with (
        EmbeddedServer.ensure(app.data_dir) as server,
        psycopg.connect(server.superuser_url, dbname="rxbackup") as connection,
    ):
        connection.execute(
            "UPDATE public.departments SET name = name || '!' WHERE id = (SELECT min(id) FROM public.departments)"
        )
        connection.execute(
            "UPDATE rxbackup.backups SET origin = %s WHERE name = 'From somewhere else'",
            [Jsonb({"kind": "archive", "foreign": True, "signer": None, "file": "theirs.rxbackup"})],
        )
    page.reload()
    expect(row_of(page, "From somewhere else")).to_contain_text("Foreign")
    begin(page, "From somewhere else")
    go_on(page, "how")
    go_on(page, "preview")
    expect_preview(page, "1 row changed in 1 table")
    go_on(page, "confirm")
    page.get_by_label("Type the backup’s name to confirm").fill("From somewhere else")
    restore = page.get_by_role("button", name=re.compile("^Restore"))
    expect(page.get_by_text("Another key signed this backup.")).to_be_visible()
    expect(restore).to_be_disabled()
    page.get_by_label("I know where it comes from").check()
    expect(restore).to_be_enabled()
    restore.click()
    result(page)
