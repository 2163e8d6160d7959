"""Notifications: mail and a web hook are set up, tried, mended, paused and removed; no secret comes back; axe."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.axe import violations
from tests.support.backups_page import PATIENCE_MS
from tests.support.receivers import MailServer, WebServer, free_port, mail_server, web_server

__all__ = ["mail_server", "web_server"]

PASSWORD = "right horse"  # what the mail server of the tests takes


@pytest.fixture
def received(signed_in_page: Page) -> list[str]:
    """Everything that the browser is told over its websocket."""
    frames: list[str] = []
    signed_in_page.on("websocket", lambda s: s.on("framereceived", lambda data: frames.append(str(data))))
    return frames


@pytest.fixture
def empty_page(signed_in_page: Page, received: list[str]) -> Page:
    """The page of notifications of an installation without a channel."""
    api = signed_in_page.request
    for channel in api.get("/api/v1/channels").json():
        assert api.delete(f"/api/v1/channels/{channel['name']}", headers={"X-Rxb": "1"}).ok
    signed_in_page.goto("/notifications")
    expect(signed_in_page.get_by_text("Nobody is told yet")).to_be_visible()
    return signed_in_page


def card(page: Page, name: str) -> Locator:
    """The card of one channel."""
    return page.get_by_role("article", name=name, exact=True)


def tend(page: Page, name: str, action: str) -> None:
    """Choose an action from the ⋯ menu of a channel."""
    card(page, name).get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name=action).click()


def send_test(page: Page, name: str) -> None:
    """Send a test and wait until it is known what came of it."""
    button = page.get_by_role("button", name=f"Send a test to {name}")
    button.click()
    expect(card(page, name).get_by_text("Tested just now")).to_be_visible(timeout=PATIENCE_MS)


def messages(page: Page) -> Locator:
    """The lines of the outbox."""
    return page.get_by_role("list", name="Messages").get_by_role("listitem")


def walk_to(page: Page, control: Locator) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(60):
        if control.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {control} by Tab")


def expect_accessible(page: Page) -> None:
    """No violation in light at 1440 and in dark at 390, and nothing sticks out."""
    for scheme, width in (("light", 1440), ("dark", 390)):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)  # colours fade in
        assert violations(page) == [], (scheme, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 900})


def test_mail_is_set_up_with_the_keyboard_alone_and_mended_when_it_fails(
    empty_page: Page, received: list[str], mail_server: MailServer
) -> None:
    page = empty_page
    expect_accessible(page)
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Add channel")
    expect(dialog.get_by_role("radio", name="E-mail")).to_be_checked()
    expect(dialog.get_by_role("checkbox", name="A backup is damaged")).to_be_checked()
    expect(dialog.get_by_role("checkbox", name="Every good backup")).not_to_be_checked()
    expect_accessible(page)
    typed = {"name": "people", "to": "ada@example.org, bob@example", "host": "127.0.0.1", "security": "Nothing"}
    for field, text in {**typed, "port": "smtp", "username": "rx", "password": PASSWORD}.items():
        walk_to(page, dialog.locator(f"#{field}"))
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("There is no port 'smtp'.")
    expect(dialog.locator("#port")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(str(mail_server.port))
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(card(page, "people")).to_contain_text("Not tested yet")
    expect(card(page, "people")).to_contain_text("Every problem, recoveries, first backups, restores")
    walk_to(page, page.get_by_role("button", name="Send a test to people"))
    page.keyboard.press("Enter")
    expect(card(page, "people").get_by_role("status")).to_contain_text(
        "The mail server took it for ada@example.org, bob@example.", timeout=PATIENCE_MS
    )
    (mail,) = mail_server.mails
    assert mail["subject"].startswith("Test of the channel people")
    expect(messages(page).first).to_contain_text(re.compile("Sent.*Test of the channel people", re.DOTALL))
    expect(card(page, "people")).to_contain_text("Works")

    tend(page, "people", "Edit")
    dialog = page.get_by_role("dialog", name="Edit “people”")
    expect(dialog.get_by_label("Password", exact=True)).to_have_value("")
    expect(dialog.get_by_label("Password", exact=True)).to_have_attribute("placeholder", "Unchanged")
    dialog.get_by_label("Port").fill(str(free_port()))
    dialog.get_by_role("checkbox", name="It works again").uncheck()
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog).to_be_hidden()
    expect(card(page, "people")).to_contain_text("Every problem, first backups, restores")
    send_test(page, "people")
    told = card(page, "people").get_by_role("alert")
    expect(told).to_contain_text("cannot be reached")
    expect(told).to_contain_text("Check the server's name, its port and how it is secured, then send a test.")
    expect(messages(page).first).to_contain_text("Failed")
    expect_accessible(page)

    tend(page, "people", "Edit")
    dialog.get_by_label("Port").fill(str(mail_server.port))
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog).to_be_hidden()
    send_test(page, "people")
    expect(card(page, "people").get_by_role("status")).to_contain_text("The test was sent.")
    assert len(mail_server.mails) == 2
    assert PASSWORD not in "".join(received)


def test_a_web_hook_is_added_paused_and_removed_and_its_address_never_comes_back(
    empty_page: Page, received: list[str], web_server: WebServer
) -> None:
    page = empty_page
    page.get_by_role("button", name="Another way").click()
    dialog = page.get_by_role("dialog", name="Add channel")
    dialog.get_by_role("radio", name="Web hook").check()
    expect(dialog.get_by_label("Mail server", exact=True)).to_have_count(0)
    dialog.get_by_label("Name", exact=True).fill("hook")
    dialog.get_by_label("Address", exact=True).fill("example.org/t0ken")
    dialog.get_by_label("Key to sign with").fill("k3y-to-sign")
    dialog.get_by_role("button", name="Add channel").click()
    expect(dialog.get_by_role("alert")).to_contain_text("This is no web address.")
    expect(dialog.get_by_label("Key to sign with")).to_have_value("k3y-to-sign")
    dialog.get_by_label("Address", exact=True).fill(f"{web_server.url}/t0ken")
    dialog.get_by_role("button", name="Add channel").click()
    expect(dialog).to_be_hidden()
    expect(card(page, "hook")).to_contain_text(f"Web hook · {web_server.url}")
    send_test(page, "hook")
    expect(card(page, "hook").get_by_role("status")).to_contain_text(f"{web_server.url} took it.")
    (call,) = web_server.calls
    assert (call.path, json.loads(call.body)["event"]) == ("/t0ken", "test")
    assert call.headers["X-Rxbackup-Signature"].startswith("sha256=")

    tend(page, "hook", "Pause")
    expect(card(page, "hook")).to_contain_text("It hears of nothing that happens now")
    expect(page.get_by_text("Nobody would hear of a backup that fails.")).to_be_visible()
    card(page, "hook").get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Nobody would hear of a backup that fails.")).to_be_hidden()
    tend(page, "hook", "Remove")
    page.get_by_role("dialog", name="Remove this channel?").get_by_role("button", name="Remove channel").click()
    expect(page.get_by_text("Nobody is told yet")).to_be_visible()
    assert "t0ken" not in "".join(received)
    assert "k3y-to-sign" not in "".join(received)
