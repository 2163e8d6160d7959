"""axe finds nothing to complain of, on any page or dialog, in light on a desk and in dark on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import width_of
from tests.support.axe import violations
from tests.support.backups_page import choose, open_page, provide, row_of

NAME = "Looked at by axe"


def _open_menu(page: Page) -> None:
    row_of(page, NAME).get_by_role("button", name="Actions for").click()
    expect(page.get_by_role("menu")).to_be_visible()


def _open_verify(page: Page) -> None:
    choose(page, NAME, "Verify")
    expect(page.get_by_role("dialog")).to_be_visible()


def _open_detail(page: Page) -> None:
    row_of(page, NAME).get_by_role("link", name=NAME).click()
    expect(page.get_by_role("cell", name="public.departments")).to_be_visible()


def _find_nothing(page: Page) -> None:
    page.get_by_label("Filter backups").fill("nobody calls a backup this")
    expect(page.get_by_text("No backup matches")).to_be_visible()


def _open_stores(page: Page) -> None:
    page.goto("/stores")
    expect(page.get_by_role("article", name="database")).to_be_visible()


def _open_add_store(page: Page) -> None:
    _open_stores(page)
    page.get_by_role("button", name="Add store").first.click()
    page.get_by_role("radio", name="S3 bucket").click()
    expect(page.get_by_label("Secret key")).to_be_visible()


def _open_free_space(page: Page) -> None:
    _open_stores(page)
    page.get_by_role("article", name="database").get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name="Free up space").click()


def _open_archive(page: Page) -> None:
    choose(page, NAME, "Download")
    page.get_by_role("radio", name="Archive").click()
    expect(page.get_by_label("The same again")).to_be_visible()


PLACES: dict[str, Callable[[Page], object]] = {
    "list": lambda page: None,
    "menu": _open_menu,
    "create": lambda page: page.get_by_role("button", name="Create Backup").first.click(),
    "verify": _open_verify,
    "delete": lambda page: choose(page, NAME, "Delete"),
    "copy": lambda page: choose(page, NAME, "Copy to"),
    "download": _open_archive,
    "import": lambda page: page.get_by_role("button", name="Import", exact=True).click(),
    "stores": _open_stores,
    "add store": _open_add_store,
    "free space": _open_free_space,
    "nothing found": _find_nothing,
    "one backup": _open_detail,
}


DIALOGS = {"create", "verify", "delete", "copy", "download", "import", "add store", "free space"}


@pytest.fixture(autouse=True)
def backup(tab: Page) -> None:
    provide(tab, NAME, groups=("Departments",))


def test_axe_finds_nothing(tab: Page) -> None:
    found: dict[str, list[str]] = {}
    for place, go in PLACES.items():
        open_page(tab)
        expect(row_of(tab, NAME)).to_be_visible()
        go(tab)
        if place in DIALOGS:
            expect(tab.get_by_role("dialog")).to_be_visible()
        tab.wait_for_timeout(300)  # colours fade in
        found[place] = violations(tab, menu=place == "menu")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width_of(tab)
    assert {place: lines for place, lines in found.items() if lines} == {}


def test_a_dialog_does_not_outlive_a_reload(tab: Page) -> None:
    _open_verify(tab)
    tab.reload()
    expect(row_of(tab, NAME)).to_be_visible()
    expect(tab.get_by_role("dialog")).to_be_hidden()


def test_targets_are_large_enough_and_nothing_is_unnamed(tab: Page) -> None:
    small = tab.evaluate(
        """() => [...document.querySelectorAll('button, input:not([type=checkbox]):not([type=radio])')]
          .filter(e => e.offsetParent && e.getBoundingClientRect().height < 39.5).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert small == []
