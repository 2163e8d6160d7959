"""A browser before the real app. The page is built once and only again when its sources changed."""

# Scope "package" where a browser takes part: its driver keeps an event loop running in this thread, and tests of
# other folders want to start their own.

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from rxbackup.serving.page import ensure_page
from tests.support.running_app import RunningApp, running_app

SYSTEM_CHROMIUM = shutil.which("chromium")
PASSWORD = "violet kettle marches north"


@dataclass(frozen=True)
class Admin:
    """Somebody who may sign in, and the cookies of a session of hers."""

    email: str
    password: str
    cookies: tuple[tuple[str, str], ...]


@pytest.fixture(scope="session")
def built_page() -> Path:
    """The page as the wheel ships it."""
    return ensure_page(say=lambda text: None)


@pytest.fixture(scope="package")
def app(built_page: Path) -> Iterator[RunningApp]:
    """One app for every test that does not need a first start."""
    with running_app() as running:
        yield running


@pytest.fixture
def fresh_app(built_page: Path) -> Iterator[RunningApp]:
    """An app that nobody has used yet."""
    with running_app() as running:
        yield running


@pytest.fixture(scope="package")
def admin(app: RunningApp) -> Admin:
    """The first admin of `app`."""
    email = "ada@example.com"
    answer = app.post("/auth/setup", {"token": app.setup_token, "email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Admin(email, PASSWORD, tuple(answer.cookies.items()))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Headless Chromium: Debian's if it is there, else Playwright's own."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=SYSTEM_CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, app: RunningApp) -> Iterator[BrowserContext]:
    """A browser profile of its own for each test; relative addresses are the app's."""
    context = browser.new_context(base_url=app.url, locale="en-GB", timezone_id="Europe/Berlin", accept_downloads=True)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of somebody who is not signed in."""
    return context.new_page()


@pytest.fixture
def signed_in_page(context: BrowserContext, app: RunningApp, admin: Admin) -> Page:
    """A tab of the admin, with a session of its own; no page is open yet."""
    answer = app.post("/auth/sign-in", {"email": admin.email, "password": admin.password})
    assert answer.status_code == 200, answer.text
    give_cookies(context, app, answer.cookies)
    return context.new_page()


@pytest.fixture(params=[("light", 1440), ("dark", 390)], ids=["light-1440", "dark-390"])
def tab(request: pytest.FixtureRequest, browser: Browser, app: RunningApp, admin: Admin) -> Iterator[Page]:
    """A tab of the admin, in light on a desk and in dark on a phone, where nothing moves; no page is open yet."""
    scheme, width = request.param
    answer = app.post("/auth/sign-in", {"email": admin.email, "password": admin.password})
    context = browser.new_context(
        base_url=app.url,
        color_scheme=scheme,
        reduced_motion="reduce",
        viewport={"width": width, "height": 900},
    )
    context.set_default_timeout(15_000)
    give_cookies(context, app, answer.cookies)
    yield context.new_page()
    context.close()


def width_of(page: Page) -> int:
    """How wide a tab is, in CSS pixels."""
    assert page.viewport_size is not None
    return page.viewport_size["width"]


def give_cookies(context: BrowserContext, app: RunningApp, cookies: httpx.Cookies) -> None:
    """Put the session of an HTTP answer into a browser profile."""
    context.add_cookies(
        [
            {"name": name, "value": value, "url": app.url, "httpOnly": True, "sameSite": "Strict"}
            for name, value in cookies.items()
        ]
    )
