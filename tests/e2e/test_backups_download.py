"""Downloads: a link that works once, a file a person can read."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.backups_page import choose, create, open_page


def download(page: Page, name: str, kind: str) -> None:
    """Ask for a download in the dialog."""
    choose(page, name, "Download")
    dialog = page.get_by_role("dialog", name="Download this backup")
    dialog.get_by_role("radio", name=kind).click()
    dialog.get_by_role("button", name="Download").click()


def test_the_json_download_parses_and_holds_the_rows(signed_in_page: Page, tmp_path: Path) -> None:
    page = open_page(signed_in_page)
    create(page, "To take along", groups=("Departments",))
    with page.expect_download() as waiting:
        download(page, "To take along", "JSON")
    waiting.value.save_as(tmp_path / "backup.json")
    document = json.loads((tmp_path / "backup.json").read_text(encoding="utf-8"))
    assert document["name"] == "To take along"
    assert len(document["data"]["public.departments"]) > 1
    assert waiting.value.suggested_filename.endswith(".json")
    expect(page.get_by_text("Downloading", exact=False).first).to_be_visible()
    # The page is still alive after the navigation that the download was.
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.context.request.get(waiting.value.url).status in {401, 403, 404, 410}


def test_the_sql_download_is_a_script(signed_in_page: Page, tmp_path: Path) -> None:
    page = open_page(signed_in_page)
    create(page, "For psql", groups=("Departments",))
    with page.expect_download() as waiting:
        download(page, "For psql", "SQL")
    waiting.value.save_as(tmp_path / "backup.sql")
    assert "COPY" in (tmp_path / "backup.sql").read_text(encoding="utf-8")
