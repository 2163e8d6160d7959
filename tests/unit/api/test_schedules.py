"""Schedules over HTTP: what is asked reaches the operations whole, and what makes no sense is a problem document."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from rxbackup import wiring
from rxbackup.access.actor import Actor
from rxbackup.api.app import create_api
from rxbackup.cadence.rules import monthly
from rxbackup.operations import retentions, schedules, sign_in
from rxbackup.operations.views import Forecast, NewSchedule, RetentionView
from rxbackup.retention.policy import Policy
from tests.support.asgi_client import client_of

ADA = Actor("ada@example.com", "admin", session_id="s1")
SIGNED = {"cookie": "rxb_session=good", "x-rxb": "1"}
WANTED = {
    "name": "Monthly",
    "cadence": {"kind": "monthly", "at": "02:30", "days": [1, 0]},
    "zone": "Europe/Berlin",
    "groups": ["Assets"],
    "copies": ["offsite"],
    "policy": {"days": 30, "monthly": 12},
    "full_every": 7,
    "jitter_minutes": 20,
}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    monkeypatch.setattr(wiring, "current", lambda: SimpleNamespace(settings=SimpleNamespace(public_url=None)))
    monkeypatch.setattr(sign_in, "identify", lambda s, token, touch=True: ADA if token == "good" else None)
    return client_of(create_api())


def test_a_schedule_arrives_whole(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[NewSchedule] = []

    def foretell(services: Any, actor: Actor, new: NewSchedule) -> Forecast:
        asked.append(new)
        return Forecast("Every now and then.", ())

    monkeypatch.setattr(schedules, "foretell_schedule", foretell)
    answer = client.post("/api/v1/schedules/forecast", json=WANTED, headers=SIGNED)
    assert (answer.status_code, answer.json()["sentence"]) == (200, "Every now and then.")
    assert asked == [
        NewSchedule(
            "Monthly",
            monthly("1,last", "02:30"),
            zone="Europe/Berlin",
            groups=("Assets",),
            copies=("offsite",),
            policy=Policy(days=30, monthly=12),
            full_every=7,
            jitter_minutes=20,
        )
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"cadence": {"kind": "daily", "at": "25:00"}},
        {"cadence": {"kind": "weekly", "at": "02:00", "days": [9]}},
        {"cadence": {"kind": "weekly", "at": "02:00"}},
        {"cadence": {"kind": "cron", "expression": "* * *"}},
        {"cadence": {"kind": "fortnightly"}},
        {"policy": {"days": -1}},
        {"policy": {"fortnightly": 1}},
        {"jitter_minutes": 721},
        {"groups": []},
        {"owner": "eve@example.org"},
    ],
)
def test_what_makes_no_sense_is_a_problem(client: httpx.Client, wrong: dict[str, Any]) -> None:
    answer = client.post("/api/v1/schedules", json={**WANTED, **wrong}, headers=SIGNED)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_policy_is_tried(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        retentions,
        "preview_retention",
        lambda s, a, name, policy=None, zone="": RetentionView(name, policy.in_words() if policy else "", zone, ()),
    )
    address = "/api/v1/schedules/Nightly/retention"
    answer = client.post(address, json={"last": 3}, params={"zone": "Asia/Tokyo"}, headers=SIGNED).json()
    assert (answer["keeps"], answer["held"]) == ("Keep the last 3, never fewer than 1 verified", "Asia/Tokyo")
