"""A backup that did not happen is told of, once, and so is the one that makes up for it."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest
from pydantic import SecretStr

from rxbackup.access.actor import Actor
from rxbackup.cadence.rules import daily
from rxbackup.operations import alerts, backups, channels, freshness, occurrences, schedules
from rxbackup.operations.services import Services
from rxbackup.operations.views import NewBackup, NewSchedule
from rxbackup.operations.views.alerts import FreshnessView
from rxbackup.operations.views.channels import NewChannel
from rxbackup.worker.dispatch import perform_job
from tests.support.installation import CONSOLE, Installation
from tests.support.receivers import MailServer, WebServer, mail_server, web_server

__all__ = ["mail_server", "web_server"]

SYSTEM = Actor.system()


@pytest.fixture
def services(installation: Installation, admin: Actor) -> Services:
    """The database's clock turns with the installation's; who owns the schedules is an admin."""
    del admin
    return dataclasses.replace(installation.services, database_clock=lambda _: installation.clock())


def _tick(services: Services) -> None:
    for duty in (
        alerts.notice_runs,
        freshness.watch_freshness,
        alerts.tell_alerts,
        channels.send_messages,
        occurrences.queue_due_backups,
        occurrences.settle_occurrences,
    ):
        duty(services, SYSTEM)


def _work(installation: Installation, services: Services) -> int:
    queued, installation.queue.jobs[:] = list(installation.queue.jobs), []
    for job, kind in queued:
        perform_job(services, job, kind)
        # PostgreSQL's own clock cannot be turned.
        installation.system_sql(
            "UPDATE rxbackup.backups SET timestamp = %s WHERE job_id = %s AND state = 'complete'",
            installation.clock(),
            job,
        )
    return sum(kind == "backup" for _, kind in queued)


def _heard(web_server: WebServer) -> list[str]:
    said = [json.loads(call.body)["subject"].split(" · ")[0] for call in web_server.calls]
    web_server.calls.clear()
    return said


def _of(services: Services, name: str) -> FreshnessView:
    return next(view for view in freshness.show_freshness(services, CONSOLE) if view.schedule == name)


def _schedule(installation: Installation, services: Services) -> None:
    at = installation.clock() + timedelta(minutes=3)
    schedules.add_schedule(services, CONSOLE, NewSchedule("Nightly", daily(f"{at:%H:%M}")))
    installation.clock.forward(minutes=4)
    _tick(services)
    assert _work(installation, services) == 1


def test_three_days_of_silence_are_one_alert_and_one_recovery(
    installation: Installation, services: Services, web_server: WebServer, mail_server: MailServer
) -> None:
    channels.add_channel(services, CONSOLE, NewChannel("hook", "webhook", url=SecretStr(web_server.url)))
    mail = {"to": ("ada@example.org",), "host": "127.0.0.1", "port": mail_server.port, "security": "none"}
    channels.add_channel(services, CONSOLE, NewChannel("people", "email", **mail))  # type: ignore[arg-type]
    _schedule(installation, services)
    _tick(services)
    assert _heard(web_server) == ["First backup is safe: Nightly"]
    assert _of(services, "Nightly").state == "ok"

    installation.clock.forward(days=3)  # nothing runs: no tick, no worker
    late = _of(services, "Nightly")
    assert late.state == "late"
    assert late.sentence.startswith("Nightly has brought no good backup for 3 days.")
    assert freshness.show_freshness(services, CONSOLE)[0].state == "late"

    for _ in range(3):
        _tick(services)
        installation.clock.forward(minutes=1)
    assert _heard(web_server) == ["No good backup in time: Nightly"]
    assert _work(installation, services) == 1
    for _ in range(3):
        installation.clock.forward(minutes=1)
        _tick(services)
    assert _heard(web_server) == ["Backups work again: Nightly"]
    assert alerts.list_alerts(services, CONSOLE) == ()
    assert _of(services, "Nightly").state == "ok"

    _, overdue, recovered = mail_server.mails
    assert overdue["subject"].startswith("No good backup in time: Nightly · ")
    plain, html = (overdue.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    for words in ("Nightly has brought no good backup for 3 days. It should: every day", "What to do: See whether"):
        assert words in plain
    assert "Last good backup: " in plain
    assert "Nightly has brought no good backup for 3 days." in html
    assert recovered["subject"].startswith("Backups work again: Nightly · ")


def test_a_schedule_that_rests_is_not_late(installation: Installation, services: Services) -> None:
    _schedule(installation, services)
    installation.clock.forward(days=3)
    freshness.watch_freshness(services, SYSTEM)
    assert len(alerts.list_alerts(services, CONSOLE)) == 1
    schedules.pause_schedule(services, CONSOLE, "Nightly")
    assert freshness.watch_freshness(services, SYSTEM) == 0
    assert alerts.list_alerts(services, CONSOLE) == ()
    assert _of(services, "Nightly").state == "paused"

    schedules.resume_schedule(services, CONSOLE, "Nightly")
    assert freshness.watch_freshness(services, SYSTEM) == 0  # it has yet to be due


def test_a_schedule_that_never_brought_one_is_late_too(installation: Installation, services: Services) -> None:
    at = installation.clock() + timedelta(hours=2)
    schedules.add_schedule(services, CONSOLE, NewSchedule("Nightly", daily(f"{at:%H:%M}")))
    assert _of(services, "Nightly").state == "never"
    assert freshness.watch_freshness(services, SYSTEM) == 0
    assert _of(services, "Nightly").sentence == "Nightly has not been due yet."
    installation.clock.forward(hours=3)
    assert _of(services, "Nightly").sentence == "Nightly has brought no good backup yet."
    installation.clock.forward(hours=12)
    assert freshness.watch_freshness(services, SYSTEM) == 1
    assert "no good backup yet" in alerts.list_alerts(services, CONSOLE)[0].message


def test_without_a_schedule_nobody_is_alarmed_but_the_light_says_so(
    installation: Installation, services: Services
) -> None:
    (whole,) = freshness.show_freshness(services, CONSOLE)
    assert (whole.state, whole.sentence) == ("never", "There is no backup yet.")
    backups.perform_backup(services, CONSOLE, NewBackup("one"))
    (whole,) = freshness.show_freshness(services, CONSOLE)
    assert whole.state == "ok"
    assert "no schedule takes the next one. None was ever read back" in whole.sentence
    installation.clock.forward(days=3)
    assert freshness.show_freshness(services, CONSOLE)[0].state == "late"
    assert freshness.watch_freshness(services, SYSTEM) == 0


def test_the_next_backup_is_told_with_the_zone_by_whose_clocks_it_is_due(services: Services) -> None:
    for name, zone in (("Later", "Asia/Tokyo"), ("Sooner", "Europe/Berlin"), ("Resting", "UTC")):
        schedules.add_schedule(services, CONSOLE, NewSchedule(name, daily("02:00"), zone=zone))
    schedules.pause_schedule(services, CONSOLE, "Resting")
    views = freshness.show_freshness(services, CONSOLE)
    soonest = min((view for view in views[1:] if view.next_due_at), key=lambda view: str(view.next_due_at))
    assert (views[0].next_due_at, views[0].zone) == (soonest.next_due_at, soonest.zone)
    assert {view.schedule: view.zone for view in views[1:]} == {
        "Later": "Asia/Tokyo",
        "Sooner": "Europe/Berlin",
        "Resting": "",
    }
