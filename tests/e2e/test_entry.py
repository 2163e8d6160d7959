"""Coming in and going out: the first admin, signing in, signing out, deep links, ended sessions."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PASSWORD, Admin
from tests.support.running_app import RunningApp


def fill_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)


def test_first_admin_is_created_by_the_printed_link_which_works_once(browser: Browser, fresh_app: RunningApp) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{fresh_app.url}/sign-in")
    expect(page.get_by_text("No account exists yet.")).to_be_visible()
    page.goto(fresh_app.setup_link)
    fill_in(page, "grace@example.com", "short")
    page.get_by_role("button", name="Create admin").click()
    expect(page.get_by_role("alert")).to_contain_text("12")
    fill_in(page, "grace@example.com", PASSWORD)
    page.get_by_role("button", name="Create admin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.get_by_text("grace@example.com").first).to_be_visible()
    context.close()

    other = browser.new_context()
    page = other.new_page()
    page.goto(fresh_app.setup_link)
    expect(page.get_by_role("alert")).to_contain_text("The first admin exists already.")
    expect(page.get_by_role("button", name="Create admin")).to_be_hidden()
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    other.close()


def test_a_setup_link_that_nobody_printed_says_so_instead_of_asking_for_a_password(
    browser: Browser, fresh_app: RunningApp
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{fresh_app.url}/setup?token=made-up")
    expect(page.get_by_role("alert")).to_contain_text("This link is not valid any more.")
    expect(page.get_by_label("Password", exact=True)).to_be_hidden()
    context.close()


def test_sign_in_by_keyboard_leads_to_the_page_and_sets_a_cookie_no_script_reads(page: Page, admin: Admin) -> None:
    page.goto("/sign-in")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type(admin.email)
    page.keyboard.press("Tab")
    page.keyboard.type(admin.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/overview")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "rxb_session" not in page.evaluate("document.cookie")
    stored = page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "rxb_session"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert cookie["value"] not in stored


def test_a_wrong_password_is_told_in_place_and_keeps_the_email(page: Page, admin: Admin) -> None:
    page.goto("/sign-in")
    fill_in(page, admin.email, "not the right password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("not right")
    expect(page.get_by_label("Email")).to_have_value(admin.email)
    expect(page).to_have_url(re.compile("/sign-in"))


def test_the_password_can_be_shown(page: Page, app: RunningApp) -> None:
    page.goto("/sign-in")
    page.get_by_label("Password", exact=True).fill("what I typed")
    page.get_by_role("button", name="Show password").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    page.get_by_role("button", name="Show password").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "password")


def test_a_deep_link_leads_to_sign_in_and_back(page: Page, admin: Admin) -> None:
    page.goto("/backups/00000000-0000-0000-0000-000000000000?tab=tables&x=1")
    page.wait_for_url(re.compile(r"/sign-in\?next=/backups/"))
    fill_in(page, admin.email, admin.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"/backups/00000000.*\?tab=tables&x=1"))


def test_next_never_leads_to_another_site(page: Page, admin: Admin) -> None:
    page.goto("/sign-in?next=//evil.example/")
    fill_in(page, admin.email, admin.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/overview")


def test_sign_out_ends_the_session_in_every_sense(signed_in_page: Page, admin: Admin, app: RunningApp) -> None:
    page = signed_in_page
    page.goto("/backups")
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "rxb_session"]
    page.get_by_role("button", name=re.compile("Account of")).click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert not [one for one in page.context.cookies() if one["name"] == "rxb_session"]
    page.goto("/backups")
    page.wait_for_url(re.compile("/sign-in"))
    answer = page.context.request.get("/api/v1/backups", headers={"cookie": f"rxb_session={cookie['value']}"})
    assert answer.status == 401


def test_a_session_that_ended_elsewhere_is_told_in_a_dialog(signed_in_page: Page, app: RunningApp) -> None:
    page = signed_in_page
    page.goto("/backups")
    expect(page.get_by_role("button", name=re.compile("Account of"))).to_be_visible()
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "rxb_session"]
    app.post("/auth/sign-out", {}, cookie=f"rxb_session={cookie['value']}")
    page.get_by_role("button", name="Create Backup").first.click()
    expect(page.get_by_role("alertdialog")).to_contain_text("session has ended")


def test_a_page_works_when_the_browser_has_kept_it(page: Page) -> None:
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    for _ in range(3):
        page.goto("/sign-in")
        fill_in(page, "nobody@example.com", "not the password at all")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
    assert not [text for text in troubles if "Content Security Policy" in text]
