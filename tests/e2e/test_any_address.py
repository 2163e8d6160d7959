"""One build serves every address: any port, any host name, behind TLS on any port."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Admin
from tests.support.running_app import RunningApp
from tests.support.tls_proxy import tls_before


def sign_in(page: Page, address: str, admin: Admin) -> list[str]:
    """Sign in at an address; the websockets the page opened."""
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(f"{address}/sign-in")
    page.get_by_label("Email").fill(admin.email)
    page.get_by_label("Password", exact=True).fill(admin.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/overview")
    # The email arrives over the websocket: it is in no HTML.
    expect(page.get_by_role("button", name=f"Account of {admin.email}")).to_be_visible()
    return sockets


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_page_works_on_a_random_port_under_any_name(browser: Browser, app: RunningApp, admin: Admin, host: str) -> None:
    context = browser.new_context()
    address = f"http://{host}:{urlsplit(app.url).port}"
    sockets = sign_in(context.new_page(), address, admin)
    assert sockets
    assert all(one.startswith(address.replace("http", "ws")) for one in sockets)
    context.close()


def test_page_works_behind_tls_on_a_random_port(browser: Browser, app: RunningApp, admin: Admin) -> None:
    port = urlsplit(app.url).port
    assert port is not None
    with tls_before(port) as address:
        context = browser.new_context(ignore_https_errors=True)
        sockets = sign_in(context.new_page(), address, admin)
        assert all(one.startswith(address.replace("https", "wss")) for one in sockets)
        (cookie,) = [one for one in context.cookies() if "rxb_session" in one["name"]]
        assert cookie["name"] == "__Host-rxb_session"
        assert cookie["secure"]
        context.close()


def test_nothing_is_loaded_from_elsewhere_and_the_policy_is_kept(signed_in_page: Page, app: RunningApp) -> None:
    page = signed_in_page
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto("/backups")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_timeout(1000)
    assert not [url for url in asked if not url.startswith((app.url, "data:", "blob:"))]
    assert not complaints
