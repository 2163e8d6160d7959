"""The dashboard and the alert rules name only numbers that `/metrics` really tells."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prometheus_client.core import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from rxbackup.api.metrics import _Moment
from rxbackup.operations.alert_views import FreshnessView
from rxbackup.operations.measure_views import LatestBackup, Measures, RunCount
from rxbackup.operations.views import StoreView

DOCS = Path(__file__).parents[2] / "docs"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
_NAME = re.compile(r"\brxbackup_[a-z_]+\b")


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
    text = generate_latest(registry).decode()
    families = list(text_string_to_metric_families(text))
    assert all(family.documentation for family in families)
    return {sample.name for family in families for sample in family.samples}


def test_the_dashboard_loads_and_asks_for_what_there_is(told: set[str]) -> None:
    dashboard = json.loads((DOCS / "monitoring/grafana-dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 10
    asked = {name for panel in panels for target in panel["targets"] for name in _NAME.findall(target["expr"])}
    assert asked
    assert asked <= told


def test_the_alert_rules_load_and_ask_for_what_there_is(told: set[str]) -> None:
    (group,) = yaml.safe_load((DOCS / "monitoring/alerts.yml").read_text())["groups"]
    for rule in group["rules"]:
        assert set(_NAME.findall(rule["expr"])) <= told, rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_the_documentation_names_every_number(told: set[str]) -> None:
    page = (DOCS / "monitoring.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| `rxbackup_")]
    named: set[str] = set()
    for line in lines:
        for word in re.findall(r"`([^`]+)`", line.split("|")[1]):
            named.add(word)
    missing = {
        name
        for name in told - {"rxbackup_info"}
        if name not in named
        and not any((n.startswith("…") and name.endswith(n.strip("…_"))) or n.strip("…") in name for n in named)
    }
    assert not missing
