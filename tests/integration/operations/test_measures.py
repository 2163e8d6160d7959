from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.api.app import create_api
from rxbackup.operations import alerts, backups, health, measures, stores
from rxbackup.operations.views import NewBackup
from tests.support.asgi_client import client_of
from tests.support.installation import CONSOLE, Installation

SYSTEM = Actor.system()
TOKEN = "t" * 24


@pytest.fixture
def client(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> httpx.Client:

    settings = installation.services.settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})
    services = dataclasses.replace(installation.services, settings=settings)
    monkeypatch.setattr(wiring, "current", lambda: services)
    return client_of(create_api())


def _numbers(answer: httpx.Response) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_prometheus_reads_what_there_is(installation: Installation, client: httpx.Client) -> None:
    view = backups.perform_backup(installation.services, CONSOLE, NewBackup("one", store="local"))
    with pytest.raises(Exception, match="no group"):
        backups.perform_backup(installation.services, CONSOLE, NewBackup("two", groups=("nothing",)))
    health.record_heartbeat(installation.services, SYSTEM)

    numbers = _numbers(client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}))
    assert numbers["rxbackup_runs_total", (("kind", "backup"), ("state", "succeeded"))] == 1
    assert numbers["rxbackup_backups", (("state", "complete"),)] == 1
    assert numbers["rxbackup_latest_backup_rows", ()] == view.rows == 570
    assert numbers["rxbackup_late", (("schedule", ""),)] == 0
    age = installation.clock().timestamp() - numbers["rxbackup_last_good_timestamp_seconds", (("schedule", ""),)]
    assert 0 < age < 60
    assert numbers["rxbackup_store_stored_bytes", (("store", "local"),)] > 0
    assert numbers["rxbackup_store_free_bytes", (("store", "local"),)] > 0
    assert ("rxbackup_store_free_bytes", (("store", "database"),)) not in numbers  # unknown is not zero


def test_an_empty_installation_can_be_read_too(client: httpx.Client) -> None:
    numbers = _numbers(client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}))
    assert numbers["rxbackup_late", (("schedule", ""),)] == 1
    assert ("rxbackup_last_good_timestamp_seconds", (("schedule", ""),)) not in numbers


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_without_the_token_nothing_is_told(client: httpx.Client, header: str) -> None:
    assert client.get("/metrics", headers={"authorization": header} if header else {}).status_code == 401


def test_the_token_opens_nothing_else(client: httpx.Client) -> None:
    assert client.get("/api/v1/backups", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 401


def test_sizes_of_stores_are_kept_by_day(installation: Installation) -> None:
    services = installation.services
    assert measures.measure_stores(services, SYSTEM) == 2
    backups.perform_backup(services, CONSOLE, NewBackup("one"))
    assert measures.measure_stores(services, SYSTEM) == 0  # not every minute
    installation.clock.forward(hours=2)
    measures.measure_stores(services, SYSTEM)
    installation.clock.forward(days=1)
    measures.measure_stores(services, SYSTEM)

    history = measures.show_history(services, CONSOLE, days=7)
    held = [(each.backups, each.stored_bytes > 0) for each in history.sizes if each.store == "database"]
    assert held[-2:] == [(1, True), (1, True)]
    assert [(day.succeeded, day.failed) for day in history.runs] == [(1, 0)]
    assert history.success_rate == 1


def test_a_store_with_little_room_is_told_until_there_is_more(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = installation.services
    backups.perform_backup(services, CONSOLE, NewBackup("one", store="local"))
    usage = SimpleNamespace(free=500_000_000, total=100_000_000_000)
    monkeypatch.setattr(stores.shutil, "disk_usage", lambda _: usage)
    measures.measure_stores(services, SYSTEM)
    (alert,) = alerts.list_alerts(services, CONSOLE)
    assert (alert.kind, alert.about, alert.severity) == ("store-nearly-full", "local", "critical")
    assert alert.message == "The store local has 500.0 MB left of 100.0 GB."

    usage.free = 50_000_000_000
    installation.clock.forward(hours=2)
    measures.measure_stores(services, SYSTEM)
    assert alerts.list_alerts(services, CONSOLE) == ()
