"""Starting and stopping the real app."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Admin
from tests.support.running_app import COMMAND, RunningApp, running_app, start_app, wait_until_ready


def ends(process: psutil.Process, seconds: float = 10) -> bool:
    try:
        process.wait(seconds)
    except psutil.TimeoutExpired:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_ten_seconds_with_everything_it_started(
    built_page: Path, browser: Browser, number: signal.Signals
) -> None:
    with running_app() as app:
        page = browser.new_page()
        page.goto(f"{app.url}/sign-in")
        expect(page.get_by_text("No account exists yet.")).to_be_visible()
        family = psutil.Process(app.process.pid).children(recursive=True)
        assert len(family) >= 2
        seconds = app.stop(number)
        page.close()
        assert seconds < 10, app.output
        assert app.process.returncode == 0, app.output
        assert all(ends(one, 5) for one in family), app.output
        assert "Traceback" not in app.output


def test_it_frees_the_port_when_its_first_process_is_killed(app: RunningApp, built_page: Path) -> None:
    with running_app() as doomed:
        (served,) = [one for one in psutil.Process(doomed.process.pid).children() if one.is_running()]
        doomed.process.kill()
        doomed.process.wait()
        assert ends(served), "the app's process outlived the one that watched it"
        again = start_app(doomed.data_dir, port=urlsplit(doomed.url).port)
        try:
            wait_until_ready(again)
        finally:
            again.stop()


def test_a_port_in_use_is_told(app: RunningApp) -> None:
    port = str(urlsplit(app.url).port)
    done = subprocess.run(
        [*COMMAND, "serve", "--port", port], capture_output=True, text=True, timeout=60, check=False, env=os.environ
    )
    assert done.returncode == 3
    assert "listens on" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_away_is_told(built_page: Path, tmp_path: Path) -> None:
    app = start_app(tmp_path, database_url="postgresql://nobody:s3cret@127.0.0.1:1/nothing")
    app.process.wait(60)
    deadline = time.monotonic() + 5
    while "RXBACKUP_DATABASE_URL" not in app.output and time.monotonic() < deadline:
        time.sleep(0.1)
    assert app.process.returncode == 1
    assert "refused" in app.output
    assert "RXBACKUP_DATABASE_URL" in app.output
    assert "Traceback" not in app.output
    assert "s3cret" not in app.output


def test_a_second_start_does_not_print_the_link_once_an_admin_exists(app: RunningApp, admin: Admin) -> None:
    assert app.output.count("/setup?token=") == 1


def test_what_is_served_says_what_it_must(app: RunningApp, admin: Admin) -> None:
    page = httpx.get(f"{app.url}/sign-in", headers={"origin": "https://evil.example"})
    assert page.status_code == 200
    assert "access-control-allow-origin" not in page.headers
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-cache"
    script = next(part for part in page.text.split('"') if part.startswith("/assets/") and part.endswith(".js"))
    assert "immutable" in httpx.get(f"{app.url}{script}").headers["cache-control"]
    assert httpx.get(f"{app.url}{script}.map").status_code == 404
    for path in ("/_upload", "/_all_routes", "/auth-codespace"):
        assert httpx.get(f"{app.url}{path}").status_code == 404
        assert httpx.post(f"{app.url}{path}", headers={"X-Rxb": "1"}).status_code == 404
    for path in ("/ping", "/_health", "/healthz"):
        answer = httpx.get(f"{app.url}{path}")
        assert answer.status_code == 200
        assert "0.10" not in answer.text
    assert httpx.get(f"{app.url}/readyz").json()["checks"]["scheduler"]["ok"] is True
