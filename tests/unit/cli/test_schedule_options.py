"""What the options of a schedule come to."""

from __future__ import annotations

import pytest

from rxbackup.cadence.rules import Rule, cron, daily, hourly, monthly, weekly
from rxbackup.cli.schedule_options import rule_of
from rxbackup.errors import UsageError

NAMES = ("daily", "weekly", "monthly", "every", "cron")


def _rule(**given: str) -> Rule | None:
    return rule_of(*(given.get(name) for name in NAMES))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({}, None),
        ({"daily": "02:00"}, daily("02:00")),
        ({"weekly": "mon,thu@02:30"}, weekly("mon,thu", "02:30")),
        ({"monthly": "1@02:30"}, monthly("1", "02:30")),
        ({"monthly": "last@02:30"}, monthly("last", "02:30")),
        ({"every": "6h"}, hourly(6)),
        ({"every": "12"}, hourly(12)),
        ({"cron": "30 2 * * 1-5"}, cron("30 2 * * 1-5")),
    ],
)
def test_each_way_to_say_when(given: dict[str, str], meant: Rule | None) -> None:
    assert _rule(**given) == meant


@pytest.mark.parametrize(
    "given",
    [
        {"daily": "25:00"},
        {"daily": "02:00", "every": "6h"},
        {"every": "5h"},
        {"every": "often"},
        {"weekly": "mon"},
        {"weekly": "moon@02:00"},
        {"monthly": "32@02:00"},
        {"cron": "* * *"},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(given: dict[str, str]) -> None:
    with pytest.raises(UsageError) as refused:
        _rule(**given)
    assert refused.value.hint
