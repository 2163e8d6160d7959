"""The dashboard, the alert rules and the documentation name what `/metrics` really tells, and all of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client.core import CollectorRegistry
from prometheus_client.exposition import generate_latest

from rxbackup.api.metrics import _Moment
from rxbackup.operations.views import StoreView
from rxbackup.operations.views.alerts import FreshnessView
from rxbackup.operations.views.measures import LatestBackup, Measures, RunCount
from tests.support import monitoring

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def told() -> set[str]:
    """The names of all numbers, where there is something of everything."""
    store = StoreView(
        name="disk", kind="local", where="/backups", same_server=False, note="", backups=3, stored_bytes=5,
        waiting_bytes=1, free_bytes=7, capacity_bytes=9, state="ok", probed_at=NOW, problem="", is_default=False,
        removable=True,
    )  # fmt: skip
    measures = Measures(
        freshness=(
            FreshnessView("", "", "ok", NOW, NOW, NOW, NOW, ""),
            FreshnessView("1", 'a"\\b\n', "late", NOW, NOW, NOW, NOW, ""),
        ),
        runs=(RunCount("backup", "succeeded", 3, 4.5), RunCount("backup", "running", 1, 0.0)),
        backups=(("complete", 3),),
        latest=LatestBackup(NOW, 1, 2, 3, 4, 5.0, 6, 7),
        stores=(store,),
        alerts=(("radar", "critical", 1),),
        messages=(("waiting", 2),),
        scheduler_at=NOW,
    )
    registry = CollectorRegistry()
    registry.register(_Moment(measures))
    families = monitoring.families_of(generate_latest(registry).decode(), "text/plain")
    assert all(family.documentation for family in families)
    assert monitoring.names_of(families) == monitoring.sampled(families)
    return monitoring.names_of(families)


def test_the_dashboard_loads_and_asks_for_what_there_is(told: set[str]) -> None:
    panels = monitoring.dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 10
    assert monitoring.dashboard_names()
    assert monitoring.dashboard_names() <= told


def test_the_alert_rules_load_and_ask_for_what_there_is(told: set[str]) -> None:
    assert monitoring.alert_names()
    assert monitoring.alert_names() <= told
    for rule in monitoring.alert_rules():
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_the_documentation_names_every_number_and_no_other(told: set[str]) -> None:
    assert monitoring.documented_names() == told
