"""Charts over days, each with a table of the same values; one walks through the days with the arrow keys."""

from __future__ import annotations

from typing import Any

import reflex as rx

_LIBRARY = "$/public/rxbackup-overview.js"


class RunsChart(rx.Component):
    """Backups by day, good and failed ones.

    Attributes:
        first, last: the days that it spans, ISO. days: those on which a backup ended.
    """

    library = _LIBRARY
    tag = "RunsChart"
    first: rx.Var[str]
    last: rx.Var[str]
    days: rx.Var[list[Any]]


class StorageChart(rx.Component):
    """What each store held by day.

    Attributes:
        days: ISO, one after the other. stores: of each its name and the bytes that it held, -1 where nobody measured.
    """

    library = _LIBRARY
    tag = "StorageChart"
    days: rx.Var[list[str]]
    stores: rx.Var[list[Any]]


runs_chart = RunsChart.create
storage_chart = StorageChart.create
