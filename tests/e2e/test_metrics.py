"""Prometheus at the real app: who may read, in both formats, and every name that our files use."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.e2e.conftest import PASSWORD
from tests.support import monitoring
from tests.support.running_app import running_app
from tests.support.terminal import Terminal

TOKEN = "a token for the monitoring"
# Absent where there is nothing to count: a quiet app has no alerts, and nothing waits.
WHERE_THERE_IS_SOME = {"rxbackup_alerts_open", "rxbackup_messages", "rxbackup_runs_active"}
# What Prometheus 3 sends.
ACCEPT = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


def test_prometheus_reads_the_real_app(built_page: Path) -> None:
    with running_app(metrics_token=TOKEN) as app:
        shell = Terminal({"RXBACKUP_DATA_DIR": str(app.data_dir)})
        assert shell.run("schedule", "add", "Nightly", "--daily", "02:00").code == 0
        assert shell.run("backup", "create", "--name", "One", "--store", "local", "-q").code == 0
        assert shell.run("backup", "verify", "One", "--level", "contents", "-q").code == 0

        def scrape(**headers: str) -> httpx.Response:
            return httpx.get(f"{app.url}/metrics", headers=headers, timeout=30)

        assert scrape().status_code == 401
        assert scrape(authorization=f"Bearer {TOKEN}x").status_code == 401
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert httpx.get(f"{app.url}/api/v1/backups", headers=bearer, timeout=30).status_code == 401

        for accept in ("text/plain", ACCEPT):
            answer = scrape(accept=accept, **bearer)
            assert ("openmetrics" in answer.headers["content-type"]) == (accept == ACCEPT)
            families = monitoring.families_of(answer.text, answer.headers["content-type"])
            wanted = monitoring.documented_names() | monitoring.dashboard_names() | monitoring.alert_names()
            assert wanted == monitoring.names_of(families)
            assert wanted - monitoring.sampled(families) <= WHERE_THERE_IS_SOME

        setup = {"token": app.setup_token, "email": "ada@example.com", "password": PASSWORD}
        cookies = app.post("/auth/setup", setup).cookies
        assert httpx.get(f"{app.url}/metrics", cookies=cookies, timeout=30).status_code == 200
