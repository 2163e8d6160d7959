"""What a scrape of `/metrics` told, and the names that the documentation, the dashboard and the alert rules use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

DOCS = Path(__file__).parents[2] / "docs"
_NAME = re.compile(r"\brxbackup_[a-z_]+\b")


def families_of(text: str, content_type: str) -> list[Metric]:
    """Read a scrape by Prometheus' own parser of the format that it says it is in; anything amiss is an error."""
    read = read_openmetrics if "openmetrics" in content_type else read_text
    return list(read(text))


def names_of(families: list[Metric]) -> set[str]:
    """The names by which people ask for them, of families without samples too."""
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in families}


def sampled(families: list[Metric]) -> set[str]:
    """The names of which there is a number now."""
    return {sample.name for family in families for sample in family.samples}


def documented_names() -> set[str]:
    """Everything in the first column of the documentation's table."""
    lines = (DOCS / "monitoring.md").read_text(encoding="utf-8").splitlines()
    return {name for line in lines if line.startswith("| `rxbackup_") for name in _names(line.split("|")[1])}


def dashboard() -> dict[str, Any]:
    """Grafana's JSON."""
    return dict(json.loads((DOCS / "monitoring/grafana-dashboard.json").read_text(encoding="utf-8")))


def dashboard_names() -> set[str]:
    """What its panels ask for."""
    return {name for panel in dashboard()["panels"] for target in panel["targets"] for name in _names(target["expr"])}


def alert_rules() -> list[dict[str, Any]]:
    """The rules of the one group."""
    (group,) = yaml.safe_load((DOCS / "monitoring/alerts.yml").read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def alert_names() -> set[str]:
    """What they ask for."""
    return {name for rule in alert_rules() for name in _names(rule["expr"])}


def _names(text: str) -> Iterator[str]:
    return iter(_NAME.findall(text))
